//! Numbers that the matchmaker runs by.

use std::time::Duration;

/// How the matchmaker behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchmakingSettings {
    /// Whether tickets are put together here. Tickets are taken and matches served either way.
    pub matches: bool,
    /// How long after a change of a queue it is looked at, so that changes are taken together.
    pub gather: Duration,
    /// How often a queue is looked at where nothing has changed: patience grows by itself.
    pub every: Duration,
    /// How often what is overdue is ended.
    pub sweep_every: Duration,
    /// Tickets that may wait for the transaction that makes them; one more is refused.
    pub max_queue: usize,
    /// Tickets that may wait in one queue; one more is refused.
    pub max_waiting: u64,
    /// Long polls at once; one more is refused.
    pub max_polls: usize,
    /// How long tickets and matches are kept after their end; `None` keeps them.
    pub retention: Option<Duration>,
}

impl Default for MatchmakingSettings {
    fn default() -> Self {
        MatchmakingSettings {
            matches: true,
            gather: Duration::from_millis(50),
            every: Duration::from_secs(1),
            sweep_every: Duration::from_millis(500),
            max_queue: 10_000,
            max_waiting: 200_000,
            max_polls: 10_000,
            retention: Some(Duration::from_secs(7 * 86_400)),
        }
    }
}
