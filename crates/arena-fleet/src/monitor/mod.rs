//! How each bot is: what the pool, the channels and the bots report, and what it adds up to.

use arena_core::fleet::Fault;
use std::sync::Arc;
use std::time::Duration;

/// What was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answered {
    /// A connection with its handshake.
    Connect,
    /// A join.
    Join,
    /// A push.
    Push,
    /// A heartbeat.
    Heartbeat,
}

/// What a connection or a channel is at.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// It waits for its turn: a permit, a free place, the probe of a dead endpoint.
    Waiting,
    /// It connects, or joins.
    Opening,
    /// It works.
    Open,
    /// It failed, and will be tried again.
    BackingOff {
        /// Why.
        fault: Fault,
        /// Failures in a row.
        attempt: u32,
        /// After what time it is tried again.
        after: Duration,
    },
    /// It was closed on purpose.
    Closed,
    /// It failed for good.
    Failed(Fault),
}

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A connection of the pool, by its number.
    Connection(u64),
    /// A bot's channel.
    Channel {
        /// The bot's id.
        bot: Arc<str>,
        /// The topic.
        topic: Arc<str>,
    },
}

/// Takes reports. Clones share it; no call waits for anything.
#[derive(Debug, Clone, Default)]
pub struct Monitor {}

impl Monitor {
    /// Something is in another phase now.
    pub fn phase(&self, _subject: &Subject, _phase: Phase) {}

    /// Something was answered.
    pub fn answered(&self, _what: Answered, _took: Duration) {}

    /// Something is no more; what is known of it goes.
    pub fn forget(&self, _subject: &Subject) {}
}
