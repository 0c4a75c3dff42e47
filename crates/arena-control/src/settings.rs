//! Numbers that the loops run by.

use crate::conversations::ConversationSettings;
use crate::matchmaking::MatchmakingSettings;
use crate::players::PlayerSettings;
use arena_core::RetryPolicy;
use arena_core::health::HealthRules;
use std::time::Duration;

/// How the services and loops behave.
#[derive(Debug, Clone)]
pub struct ControlSettings {
    /// How often every channel is synced even if nobody nudged it: the safety net.
    pub sync_every: Duration,
    /// Channels synced at the same time.
    pub sync_concurrency: usize,
    /// Bots deployed in one sync of a channel; more are deployed in the next, which follows at once.
    pub max_deploys_per_run: usize,
    /// When a bot that could not be deployed is tried again; a channel whose sync failed, likewise.
    pub retry: RetryPolicy,
    /// How long a world host may take for one call.
    pub host_timeout: Duration,
    /// How long a world id is taken from the cache.
    pub cache_ttl: Duration,
    /// How often positions are saved.
    pub snapshot_every: Duration,
    /// How long the activity log is kept.
    pub activity_retention: Duration,
    /// How long outcomes of idempotent requests are kept.
    pub idempotency_ttl: Duration,
    /// Assignments that may wait for their transaction; one more is refused.
    pub max_queue: usize,
    /// How long players' seats are kept.
    pub players: PlayerSettings,
    /// How conversations are kept.
    pub conversations: ConversationSettings,
    /// How tickets are matched.
    pub matchmaking: MatchmakingSettings,
    /// What is healthy.
    pub health: HealthRules,
}

impl Default for ControlSettings {
    fn default() -> Self {
        ControlSettings {
            sync_every: Duration::from_secs(30),
            sync_concurrency: 32,
            max_deploys_per_run: 200,
            retry: RetryPolicy::default(),
            host_timeout: Duration::from_secs(5),
            cache_ttl: Duration::from_secs(300),
            snapshot_every: Duration::from_secs(3),
            activity_retention: Duration::from_secs(30 * 86_400),
            idempotency_ttl: Duration::from_secs(86_400),
            max_queue: 4_096,
            players: PlayerSettings::default(),
            conversations: ConversationSettings::default(),
            matchmaking: MatchmakingSettings::default(),
            health: HealthRules::default(),
        }
    }
}
