//! What operators want: it is set here, and done by the manager.

use crate::stats::Mode;
use arena_core::fleet::Demand;
use tokio::sync::watch;

/// What is wanted of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// Whether it works.
    pub mode: Mode,
    /// How many bots there should be; `None`: it follows the humans.
    pub pinned: Option<usize>,
}

impl Default for Wishes {
    fn default() -> Self {
        Wishes { mode: Mode::Running, pinned: None }
    }
}

impl Wishes {
    /// How many bots there should be.
    pub fn target(self, demand: Demand, humans: usize) -> usize {
        match (self.mode, self.pinned) {
            (Mode::Draining | Mode::Stopping, _) => 0,
            (_, Some(pinned)) => pinned.min(demand.max),
            (_, None) => demand.target(humans),
        }
    }

    /// All have left after a drain: nothing starts until somebody wants it.
    pub(crate) fn drained(wishes: &watch::Sender<Wishes>) {
        wishes.send_if_modified(|wishes| {
            let draining = wishes.mode == Mode::Draining;
            if draining {
                wishes.mode = Mode::Paused;
            }
            draining
        });
    }
}
