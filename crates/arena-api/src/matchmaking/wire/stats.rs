//! What the matchmaker has done.

use arena_control::MatchmakingStats;
use serde::Serialize;

/// Totals since the start of the server, and the last look at a queue.
#[derive(Debug, Serialize)]
pub(crate) struct StatsBody {
    tickets: u64,
    proposed: u64,
    confirmed: u64,
    failed: u64,
    over: u64,
    lost: u64,
    unnoticed: u64,
    tick_us: u64,
    tick_tickets: u64,
}

impl From<MatchmakingStats> for StatsBody {
    fn from(stats: MatchmakingStats) -> StatsBody {
        StatsBody {
            tickets: stats.tickets,
            proposed: stats.proposed,
            confirmed: stats.confirmed,
            failed: stats.failed,
            over: stats.over,
            lost: stats.lost,
            unnoticed: stats.unnoticed,
            tick_us: stats.tick_us,
            tick_tickets: stats.tick_tickets,
        }
    }
}
