//! All limits of the gateway and their defaults.

use super::Rate;
use std::time::Duration;

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Times a second; 0 is no limit.
    pub per_second: u32,
    /// Times at once after a rest.
    pub burst: u32,
}

impl RateLimit {
    /// This often, and twice as often at once.
    pub const fn of(per_second: u32) -> RateLimit {
        RateLimit { per_second, burst: per_second.saturating_mul(2) }
    }

    /// As buckets take it.
    pub fn rate(self) -> Rate {
        Rate::per_second(self.per_second, self.burst)
    }
}

/// All limits of the gateway. Where the source of a default is Supabase, it is the quota that its hosted service
/// publishes or the default of its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealtimeLimits {
    /// Connections of the node: below the usual limit of 20,000 open files, with some left for everything else.
    pub connections: u32,
    /// Connections of one user; 0 is no limit. A person has a few devices with a few tabs each.
    pub connections_per_user: u32,
    /// Connections from one address (IPv6: one /64 network); 0 is no limit, and the default, since behind a proxy all
    /// have one address.
    pub connections_per_address: u32,
    /// Topics joined by one connection: Supabase's 100.
    pub topics_per_session: u32,
    /// Joins of one session that are under way at once; more are refused.
    pub pending_joins: u32,
    /// Joins of one session. The burst is all the topics that it may have: who reconnects joins them all at once.
    pub session_joins: RateLimit,
    /// Joins of the node: Supabase's largest quota is 2,500 a second.
    pub node_joins: RateLimit,
    /// Messages of one session.
    pub session_messages: RateLimit,
    /// Messages of all sessions of one user, and of what they publish by HTTP.
    pub user_messages: RateLimit,
    /// Messages into one topic.
    pub topic_messages: RateLimit,
    /// Messages into the node; what goes out is bounded by the outboxes.
    pub node_messages: RateLimit,
    /// Presence calls of one session: Supabase's clients call when something changes, not by the clock.
    pub session_presence: RateLimit,
    /// Presence calls in one topic.
    pub topic_presence: RateLimit,
    /// Presence calls of the node: twice `node_joins`, so that all who join may be present.
    pub node_presence: RateLimit,
    /// Frames of one session, whatever is in them; a session above it is closed.
    pub session_frames: RateLimit,
    /// Users and topics that are counted one by one; more share what is left. Idle ones are forgotten.
    pub tracked_keys: usize,
    /// The largest payload of a broadcast, in bytes: Supabase's 256 KiB.
    pub payload_bytes: usize,
    /// The largest payload of a presence, in bytes. Everybody in a topic gets everybody's.
    pub presence_bytes: usize,
    /// The largest frame, and the largest message of several frames, in bytes: Supabase's 5,000,000.
    pub frame_bytes: usize,
    /// What may wait to be written to one session, in bytes. Above it the policy of the topic's kind decides.
    pub outbox_bytes: usize,
    /// Messages in one HTTP request.
    pub batch_messages: usize,
    /// A connection that is silent for this long is closed: Supabase's 60 s, two heartbeats of most clients.
    pub idle_timeout: Duration,
}

impl Default for RealtimeLimits {
    fn default() -> Self {
        RealtimeLimits {
            connections: 19_000,
            connections_per_user: 100,
            connections_per_address: 0,
            topics_per_session: 100,
            pending_joins: 20,
            session_joins: RateLimit { per_second: 20, burst: 100 },
            node_joins: RateLimit::of(2_500),
            session_messages: RateLimit::of(100),
            user_messages: RateLimit::of(500),
            topic_messages: RateLimit::of(1_000),
            node_messages: RateLimit::of(50_000),
            session_presence: RateLimit { per_second: 5, burst: 100 },
            topic_presence: RateLimit::of(1_000),
            node_presence: RateLimit::of(5_000),
            session_frames: RateLimit::of(500),
            tracked_keys: 100_000,
            payload_bytes: 256 * 1024,
            presence_bytes: 8 * 1024,
            frame_bytes: 5_000_000,
            outbox_bytes: 1024 * 1024,
            batch_messages: 100,
            idle_timeout: Duration::from_secs(60),
        }
    }
}
