//! All limits of a node in one place.

use super::bucket::{Bucket, Clock, Rate};
use super::connections::{Connection, Connections};
use super::keyed::Keyed;
use super::refusal::{Refusal, Scope};
use super::settings::RealtimeLimits;
use arena_core::topic::TopicName;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The buckets of one session, 32 bytes. Their rates are the limiter's.
#[derive(Debug, Default)]
pub struct SessionBuckets {
    joins: Bucket,
    messages: Bucket,
    presence: Bucket,
    frames: Bucket,
}

/// All limits of a node. The narrowest is asked first, so that one session's flood uses up nobody else's share.
#[derive(Debug)]
pub struct Limiter {
    limits: RealtimeLimits,
    clock: Clock,
    connections: Arc<Connections>,
    session: SessionRates,
    node: NodeRates,
    node_joins: Bucket,
    node_messages: Bucket,
    node_presence: Bucket,
    user_messages: Keyed<String>,
    topic_messages: Keyed<TopicName>,
    topic_presence: Keyed<TopicName>,
}

#[derive(Debug)]
struct SessionRates {
    joins: Rate,
    messages: Rate,
    presence: Rate,
    frames: Rate,
}

#[derive(Debug)]
struct NodeRates {
    joins: Rate,
    messages: Rate,
    presence: Rate,
}

impl Limiter {
    /// Keeps to these limits, from now on.
    pub fn new(limits: RealtimeLimits) -> Limiter {
        let keys = limits.tracked_keys;
        Limiter {
            clock: Clock::start(),
            connections: Connections::new(
                limits.connections,
                limits.connections_per_user,
                limits.connections_per_address,
            ),
            session: SessionRates {
                joins: limits.session_joins.rate(),
                messages: limits.session_messages.rate(),
                presence: limits.session_presence.rate(),
                frames: limits.session_frames.rate(),
            },
            node: NodeRates {
                joins: limits.node_joins.rate(),
                messages: limits.node_messages.rate(),
                presence: limits.node_presence.rate(),
            },
            node_joins: Bucket::default(),
            node_messages: Bucket::default(),
            node_presence: Bucket::default(),
            user_messages: Keyed::new(limits.user_messages.rate(), keys),
            topic_messages: Keyed::new(limits.topic_messages.rate(), keys),
            topic_presence: Keyed::new(limits.topic_presence.rate(), keys),
            limits,
        }
    }

    /// The limits, for those that are not rates.
    pub fn limits(&self) -> &RealtimeLimits {
        &self.limits
    }

    /// Connections that are open.
    pub fn connections(&self) -> u32 {
        self.connections.count()
    }

    /// One more connection; it counts until what this gives is dropped.
    pub fn connect(&self, user: &Arc<str>, address: IpAddr) -> Result<Connection, Refusal> {
        self.connections.open(user, address)
    }

    /// A frame came in. Asked for every one, before it is looked at; who is refused should be closed.
    pub fn frame(&self, session: &SessionBuckets) -> Result<(), Refusal> {
        session.frames.take(self.session.frames, self.clock.now()).map_err(|_| Refusal::Frames)
    }

    /// A join by a session that has `joined` topics and `pending` joins under way, this one left out.
    pub fn join(&self, session: &SessionBuckets, joined: u32, pending: u32) -> Result<(), Refusal> {
        if joined.saturating_add(pending) >= self.limits.topics_per_session {
            return Err(Refusal::Topics);
        }
        if pending >= self.limits.pending_joins {
            return Err(Refusal::Joins { scope: Scope::Session, retry_after: None });
        }
        let now = self.clock.now();
        let refuse = |scope| move |wait| Refusal::Joins { scope, retry_after: Some(wait) };
        session.joins.take(self.session.joins, now).map_err(refuse(Scope::Session))?;
        self.node_joins.take(self.node.joins, now).map_err(refuse(Scope::Node))
    }

    /// A broadcast of a session, with a payload of this many bytes.
    pub fn message(
        &self,
        session: &SessionBuckets,
        user: &str,
        topic: &TopicName,
        payload_bytes: usize,
    ) -> Result<(), Refusal> {
        session
            .messages
            .take(self.session.messages, self.clock.now())
            .map_err(|retry_after| Refusal::Messages { scope: Scope::Session, retry_after })?;
        self.publication(user, topic, payload_bytes)
    }

    /// A broadcast that comes without a session, by HTTP.
    pub fn publication(&self, user: &str, topic: &TopicName, payload_bytes: usize) -> Result<(), Refusal> {
        if payload_bytes > self.limits.payload_bytes {
            return Err(Refusal::PayloadSize);
        }
        let now = self.clock.now();
        let refuse = |scope| move |retry_after: Duration| Refusal::Messages { scope, retry_after };
        self.user_messages.take(user, now).map_err(refuse(Scope::User))?;
        self.topic_messages.take(topic, now).map_err(refuse(Scope::Topic))?;
        self.node_messages.take(self.node.messages, now).map_err(refuse(Scope::Node))
    }

    /// A presence call of a session, with a payload of this many bytes.
    pub fn presence(
        &self,
        session: &SessionBuckets,
        topic: &TopicName,
        payload_bytes: usize,
    ) -> Result<(), Refusal> {
        if payload_bytes > self.limits.presence_bytes {
            return Err(Refusal::TrackSize);
        }
        let now = self.clock.now();
        let refuse = |scope| move |retry_after: Duration| Refusal::Presence { scope, retry_after };
        session
            .presence
            .take(self.session.presence, now)
            .map_err(|retry_after| Refusal::ClientPresence { retry_after })?;
        self.topic_presence.take(topic, now).map_err(refuse(Scope::Topic))?;
        self.node_presence.take(self.node.presence, now).map_err(refuse(Scope::Node))
    }
}
