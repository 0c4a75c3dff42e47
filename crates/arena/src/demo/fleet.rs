//! The demo's bots that are clients, as anybody's would be.

use super::guest::{Guest, Met};
use super::screen;
use super::strangers::{Evening, Strangers};
use crate::progress::{Progress, say};
use crate::server::Server;
use arena_fleet::monitor::{BotReport, BotState};
use arena_fleet::{Fleet, FleetStats};
use std::time::{Duration, Instant};

/// How long they may take until all are in the lobby.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// What became of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Company {
    /// From the fleet's start until all of its bots were in the lobby.
    pub(super) present_after: Duration,
    /// How they are in the end.
    pub(super) stats: FleetStats,
    /// The talk of one of them with a guest.
    pub(super) met: Option<Met>,
    /// How it was for those who met strangers, by how long they waited.
    pub(super) evenings: Vec<Evening>,
}

/// Waits until all bots of the fleet are in the lobby; returns how long that took them.
pub(super) async fn gather(server: &Server) -> Option<Duration> {
    let fleet = server.fleet.as_ref()?;
    let wanted = fleet.stats().manager.target;
    let bar = Progress::bar(wanted as u64, "fleet bots joining");
    let began = Instant::now();
    loop {
        let stats = fleet.stats();
        bar.set(stats.monitor.totals.active as u64);
        let took = last_came(&stats);
        if stats.monitor.totals.active >= stats.manager.target {
            drop(bar);
            say(&screen::gathered(&stats, took));
            return Some(took);
        }
        if began.elapsed() > PATIENCE {
            drop(bar);
            say("not all bots of the fleet came to the lobby: see `arena fleet status`");
            return Some(took);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// From the fleet's start until the last of those that are there had come into the lobby.
fn last_came(stats: &FleetStats) -> Duration {
    let came =
        |bot: &BotReport| bot.history.iter().find(|past| past.state == BotState::Idle).map(|past| past.at_ms);
    let last = stats.monitor.bots.iter().filter_map(came).max().unwrap_or(stats.started_at_ms);
    Duration::from_millis(last.saturating_sub(stats.started_at_ms))
}

/// How it ended for them.
pub(super) async fn look_back(
    fleet: Option<&Fleet>,
    present_after: Option<Duration>,
    guest: Option<Guest>,
    strangers: Option<Strangers>,
) -> Option<Company> {
    let met = match guest {
        Some(guest) => guest.part().await,
        None => None,
    };
    let evenings = match strangers {
        Some(strangers) => strangers.part().await,
        None => Vec::new(),
    };
    Some(Company { present_after: present_after?, stats: fleet?.stats(), met, evenings })
}
