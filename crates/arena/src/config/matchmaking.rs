//! Matchmaking.

use arena_control::MatchmakingSettings;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The matchmaker: how often it looks, what it takes, and how long it remembers. What tickets are matched by is a queue's
/// own, and changed while the server runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchmakingConfig {
    /// Whether tickets are matched here.
    pub enabled: bool,
    /// How long after a change of a queue it is looked at.
    pub gather_ms: u64,
    /// How often a queue is looked at where nothing changes.
    pub every_ms: u64,
    /// How often what is overdue is ended.
    pub sweep_every_ms: u64,
    /// Tickets that may wait for the transaction that makes them.
    pub max_queue: usize,
    /// Tickets that may wait in one queue.
    pub max_waiting: u64,
    /// Long polls at once.
    pub max_polls: usize,
    /// How long tickets and matches are kept after their end; 0 keeps them for ever.
    pub retention_days: u32,
}

impl Default for MatchmakingConfig {
    fn default() -> Self {
        MatchmakingConfig {
            enabled: true,
            gather_ms: 50,
            every_ms: 1_000,
            sweep_every_ms: 500,
            max_queue: 10_000,
            max_waiting: 200_000,
            max_polls: 10_000,
            retention_days: 7,
        }
    }
}

impl MatchmakingConfig {
    /// As the matchmaker takes it.
    pub fn settings(&self) -> MatchmakingSettings {
        let retention = Duration::from_secs(u64::from(self.retention_days) * 86_400);
        MatchmakingSettings {
            matches: self.enabled,
            gather: Duration::from_millis(self.gather_ms),
            every: Duration::from_millis(self.every_ms),
            sweep_every: Duration::from_millis(self.sweep_every_ms),
            max_queue: self.max_queue,
            max_waiting: self.max_waiting,
            max_polls: self.max_polls,
            retention: (self.retention_days > 0).then_some(retention),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_matchmakers_own_and_0_days_are_for_ever() {
        assert_eq!(MatchmakingConfig::default().settings(), MatchmakingSettings::default());
        let kept = MatchmakingConfig { retention_days: 0, ..MatchmakingConfig::default() };
        assert_eq!(kept.settings().retention, None);
    }
}
