//! Whose turn it is to be compared with everybody.

use super::Looks;
use super::crowd::Crowd;

/// Some of those who wait for their turn, and the others. From call to call the next ones follow: as long as just as many
/// wait, everybody has a turn within as many calls as there are windows. While the number changes, some come again
/// sooner and others later.
#[derive(Debug)]
pub(super) struct Window {
    now: Vec<usize>,
    later: Vec<usize>,
}

impl Window {
    /// Of these, which are in ascending order.
    pub fn new(waiting: &[usize], crowd: &Crowd<'_>, looks: Looks, tick: u64) -> Window {
        let many = waiting.len();
        if many == 0 {
            return Window { now: Vec::new(), later: Vec::new() };
        }
        // Each is compared with n at most, so a multiple of log n of them keeps to n log n.
        let all = crowd.cards.len();
        let share = looks.compared * (all.ilog2() as usize + 1);
        let share = share.max(looks.at_least / all).clamp(1, many);
        let first = (tick % many as u64) as usize * share % many;
        let mut turns = waiting.to_vec();
        turns.rotate_left(first);
        let mut later = turns.split_off(share);
        turns.sort_unstable();
        later.sort_unstable();
        Window { now: turns, later }
    }

    /// Whose turn it is.
    pub fn now(&self) -> &[usize] {
        &self.now
    }

    /// Whether it is somebody's turn.
    pub fn is_now(&self, one: usize) -> bool {
        self.now.binary_search(&one).is_ok()
    }

    /// Whether somebody waits for a later turn.
    pub fn is_later(&self, one: usize) -> bool {
        self.later.binary_search(&one).is_ok()
    }
}
