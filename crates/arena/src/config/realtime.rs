//! The realtime gateway and authentication.

use super::redact::HiddenText;
use arena_bus::{BusSettings, Keep};
use arena_realtime::Drain;
use arena_realtime::limits::{RateLimit, RealtimeLimits};
use arena_realtime::policy::{AnonymousAccess, PolicySettings, TopicPattern};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// How tokens are signed and checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// The secret; empty means the file `jwt.secret` in the data directory.
    pub jwt_secret: HiddenText,
    /// A JSON Web Key Set with the keys of others; empty means none.
    pub jwks_file: PathBuf,
}

/// Who may come without a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anonymous {
    /// Nobody.
    #[default]
    Never,
    /// Programs on the same machine.
    Loopback,
    /// Everybody.
    Always,
}

/// The realtime gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealtimeConfig {
    /// Where players are told to connect; empty means the server's own address.
    pub public_url: String,
    /// Who may come without a token.
    pub anonymous: Anonymous,
    /// Topics that are private whoever asks.
    pub private_topics: Vec<TopicPattern>,
    /// Connections of the node at most.
    pub max_connections: u32,
    /// Connections of one user at most; 0 is no limit.
    pub max_connections_per_user: u32,
    /// Connections from one address at most; 0 is no limit.
    pub max_connections_per_address: u32,
    /// Topics of one connection at most.
    pub max_topics_per_session: u32,
    /// Joins of one connection that are under way at most.
    pub max_pending_joins: u32,
    /// Joins of one connection.
    pub session_joins_per_sec: u32,
    /// Joins of the node.
    pub node_joins_per_sec: u32,
    /// Messages of one connection.
    pub session_messages_per_sec: u32,
    /// Messages of one user.
    pub user_messages_per_sec: u32,
    /// Messages into one topic.
    pub topic_messages_per_sec: u32,
    /// Messages into the node.
    pub node_messages_per_sec: u32,
    /// Presence calls of one connection.
    pub session_presence_per_sec: u32,
    /// Presence calls in one topic.
    pub topic_presence_per_sec: u32,
    /// Presence calls of the node.
    pub node_presence_per_sec: u32,
    /// Frames of one connection, whatever is in them.
    pub session_frames_per_sec: u32,
    /// How many seconds' worth of a rate may come at once.
    pub burst_secs: u32,
    /// Users and topics that are counted one by one.
    pub max_tracked_keys: usize,
    /// Largest payload of a message.
    pub payload_limit_bytes: usize,
    /// Largest payload of a presence.
    pub presence_limit_bytes: usize,
    /// Largest frame.
    pub frame_limit_bytes: usize,
    /// What may wait to be written to one connection.
    pub outbox_bytes: usize,
    /// Messages in one HTTP request at most.
    pub max_batch_messages: usize,
    /// When a silent connection is closed.
    pub idle_timeout_secs: u64,
    /// Messages kept of a world's topic.
    pub world_history_messages: usize,
    /// Bytes kept of a world's topic.
    pub world_history_bytes: usize,
    /// Messages kept of any other topic.
    pub history_messages: usize,
    /// Bytes kept of any other topic.
    pub history_bytes: usize,
    /// Bytes kept of all topics but worlds.
    pub history_total_bytes: usize,
    /// How long a topic outlives its last member.
    pub history_linger_secs: u64,
    /// Topics whose last message is kept longer.
    pub last_value_topics: Vec<TopicPattern>,
    /// How long those outlive their last member.
    pub last_value_linger_secs: u64,
    /// Messages of one topic that may wait to be delivered.
    pub max_pending_messages: usize,
    /// Topics at most.
    pub max_topics: usize,
    /// Members above which a topic's presence is a number.
    pub presence_occupancy_above: u32,
    /// How long before its end a token is warned of.
    pub token_warning_secs: u64,
    /// How long after its end a token still counts.
    pub token_grace_secs: u64,
    /// How long a join token is good for.
    pub join_token_ttl_secs: u64,
    /// Seats of one user at most; 0 is no limit.
    pub max_seats_per_user: u32,
    /// How long a seat is held for a player who has not come yet.
    pub reserve_secs: u64,
    /// How long a seat is held for a player who is gone.
    pub seat_grace_secs: u64,
    /// Over how long the closing of all connections is spread at shutdown.
    pub drain_spread_secs: u64,
    /// When what is still open at shutdown is cut off.
    pub drain_deadline_secs: u64,
}

/// How many seconds' worth of a rate the gateway lets through at once.
const BURST_SECS: u32 = 2;

impl Default for RealtimeConfig {
    fn default() -> Self {
        let limits = RealtimeLimits::default();
        let bus = BusSettings::default();
        RealtimeConfig {
            public_url: String::new(),
            anonymous: Anonymous::Never,
            private_topics: Vec::new(),
            max_connections: limits.connections,
            max_connections_per_user: limits.connections_per_user,
            max_connections_per_address: limits.connections_per_address,
            max_topics_per_session: limits.topics_per_session,
            max_pending_joins: limits.pending_joins,
            session_joins_per_sec: limits.session_joins.per_second,
            node_joins_per_sec: limits.node_joins.per_second,
            session_messages_per_sec: limits.session_messages.per_second,
            user_messages_per_sec: limits.user_messages.per_second,
            topic_messages_per_sec: limits.topic_messages.per_second,
            node_messages_per_sec: limits.node_messages.per_second,
            session_presence_per_sec: limits.session_presence.per_second,
            topic_presence_per_sec: limits.topic_presence.per_second,
            node_presence_per_sec: limits.node_presence.per_second,
            session_frames_per_sec: limits.session_frames.per_second,
            burst_secs: BURST_SECS,
            max_tracked_keys: limits.tracked_keys,
            payload_limit_bytes: limits.payload_bytes,
            presence_limit_bytes: limits.presence_bytes,
            frame_limit_bytes: limits.frame_bytes,
            outbox_bytes: limits.outbox_bytes,
            max_batch_messages: limits.batch_messages,
            idle_timeout_secs: limits.idle_timeout.as_secs(),
            world_history_messages: bus.world.messages,
            world_history_bytes: bus.world.bytes,
            history_messages: bus.other.messages,
            history_bytes: bus.other.bytes,
            history_total_bytes: bus.history_total_bytes,
            history_linger_secs: bus.other.linger.as_secs(),
            last_value_topics: bus.last_value.iter().filter_map(|text| text.parse().ok()).collect(),
            last_value_linger_secs: bus.last_value_linger.as_secs(),
            max_pending_messages: bus.max_pending,
            max_topics: bus.max_streams,
            presence_occupancy_above: 200,
            token_warning_secs: 60,
            token_grace_secs: 30,
            join_token_ttl_secs: 3_600,
            max_seats_per_user: 10,
            reserve_secs: 30,
            seat_grace_secs: 20,
            drain_spread_secs: 5,
            drain_deadline_secs: 10,
        }
    }
}

impl RealtimeConfig {
    /// As the limiter takes them.
    pub fn limits(&self) -> RealtimeLimits {
        let rate =
            |per_second: u32| RateLimit { per_second, burst: per_second.saturating_mul(self.burst_secs) };
        // Who reconnects joins all their topics at once, and is present in them.
        let of_session = |per_second| RateLimit {
            per_second,
            burst: rate(per_second).burst.max(self.max_topics_per_session),
        };
        RealtimeLimits {
            connections: self.max_connections,
            connections_per_user: self.max_connections_per_user,
            connections_per_address: self.max_connections_per_address,
            topics_per_session: self.max_topics_per_session,
            pending_joins: self.max_pending_joins,
            session_joins: of_session(self.session_joins_per_sec),
            node_joins: rate(self.node_joins_per_sec),
            session_messages: rate(self.session_messages_per_sec),
            user_messages: rate(self.user_messages_per_sec),
            topic_messages: rate(self.topic_messages_per_sec),
            node_messages: rate(self.node_messages_per_sec),
            session_presence: of_session(self.session_presence_per_sec),
            topic_presence: rate(self.topic_presence_per_sec),
            node_presence: rate(self.node_presence_per_sec),
            session_frames: rate(self.session_frames_per_sec),
            tracked_keys: self.max_tracked_keys,
            payload_bytes: self.payload_limit_bytes,
            presence_bytes: self.presence_limit_bytes,
            frame_bytes: self.frame_limit_bytes,
            outbox_bytes: self.outbox_bytes,
            batch_messages: self.max_batch_messages,
            idle_timeout: Duration::from_secs(self.idle_timeout_secs),
        }
    }

    /// As the policy takes them.
    pub fn policy(&self) -> PolicySettings {
        PolicySettings { private_topics: self.private_topics.clone() }
    }

    /// As the gateway takes it.
    pub fn anonymous(&self) -> AnonymousAccess {
        match self.anonymous {
            Anonymous::Never => AnonymousAccess::Never,
            Anonymous::Loopback => AnonymousAccess::Loopback,
            Anonymous::Always => AnonymousAccess::Always,
        }
    }

    /// As the gateway takes it.
    pub fn drain(&self) -> Drain {
        Drain {
            spread: Duration::from_secs(self.drain_spread_secs),
            deadline: Duration::from_secs(self.drain_deadline_secs),
        }
    }

    /// As the bus takes them.
    pub fn bus(&self) -> BusSettings {
        let linger = Duration::from_secs(self.history_linger_secs);
        BusSettings {
            world: Keep { messages: self.world_history_messages, bytes: self.world_history_bytes, linger },
            other: Keep { messages: self.history_messages, bytes: self.history_bytes, linger },
            last_value_linger: Duration::from_secs(self.last_value_linger_secs),
            last_value: self.last_value_topics.iter().map(ToString::to_string).collect(),
            max_pending: self.max_pending_messages,
            max_streams: self.max_topics,
            history_total_bytes: self.history_total_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_gateway_and_the_bus() {
        let config = RealtimeConfig::default();
        assert_eq!(config.limits(), RealtimeLimits::default());
        assert_eq!(config.policy(), PolicySettings::default());
        assert_eq!(config.anonymous(), AnonymousAccess::default());
        assert_eq!(config.bus(), BusSettings::default());
    }

    #[test]
    fn who_reconnects_may_join_all_their_topics_at_once() {
        let config = RealtimeConfig { max_topics_per_session: 500, ..RealtimeConfig::default() };
        assert_eq!(config.limits().session_joins.burst, 500);
        assert_eq!(config.limits().session_presence.burst, 500);
    }
}
