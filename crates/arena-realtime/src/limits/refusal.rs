//! Why something is refused, in the words that clients know.

use std::time::Duration;

/// Whose limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One connection's.
    Session,
    /// All sessions of one user.
    User,
    /// All sessions from one address.
    Address,
    /// One topic's.
    Topic,
    /// The whole node's.
    Node,
}

/// Why something is refused. Those with `retry_after` may be tried again that much later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// As many connections as there may be.
    #[error("Too many connected users")]
    Connections {
        /// Whose.
        scope: Scope,
    },
    /// As many topics as one connection may have.
    #[error("Too many channels")]
    Topics,
    /// Joins come too fast, or too many of them are still under way.
    #[error("Too many joins per second")]
    Joins {
        /// Whose.
        scope: Scope,
        /// After which time the next is let in; unknown where joins under way are the reason.
        retry_after: Option<Duration>,
    },
    /// Broadcasts come too fast.
    #[error("Too many messages per second")]
    Messages {
        /// Whose.
        scope: Scope,
        /// After which time the next is let in.
        retry_after: Duration,
    },
    /// Presence calls of one connection come too fast.
    #[error("Client presence rate limit exceeded")]
    ClientPresence {
        /// After which time the next is let in.
        retry_after: Duration,
    },
    /// Presence calls of all come too fast.
    #[error("Too many presence messages per second")]
    Presence {
        /// Whose.
        scope: Scope,
        /// After which time the next is let in.
        retry_after: Duration,
    },
    /// A presence payload is too large.
    #[error("Track message size exceeded")]
    TrackSize,
    /// A broadcast's payload is too large.
    #[error("payload_size_exceeded")]
    PayloadSize,
    /// Frames come too fast, whatever is in them. The connection is closed.
    #[error("Too many frames per second")]
    Frames,
}

impl Refusal {
    /// The code that reasons begin with; clients match on it, and some wait longer after `…RateLimitReached`.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Connections { .. } => "ConnectionRateLimitReached",
            Refusal::Topics => "ChannelRateLimitReached",
            Refusal::Joins { .. } => "ClientJoinRateLimitReached",
            Refusal::Messages { .. } => "MessagePerSecondRateLimitReached",
            Refusal::ClientPresence { .. } => "ClientPresenceRateLimitReached",
            Refusal::Presence { .. } => "PresenceRateLimitReached",
            Refusal::TrackSize | Refusal::PayloadSize => "PayloadSizeExceeded",
            Refusal::Frames => "FrameRateLimitReached",
        }
    }

    /// The `reason` of a refused join or input: `Code: text`. The text alone, by `Display`, is what `system` messages
    /// carry, and the `error` of a refused handshake.
    pub fn reason(&self) -> String {
        format!("{}: {self}", self.code())
    }

    /// The HTTP status of a refused handshake or publication.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::TrackSize | Refusal::PayloadSize => 413,
            _ => 429,
        }
    }

    /// After which time to try again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Refusal::Joins { retry_after, .. } => *retry_after,
            Refusal::Messages { retry_after, .. }
            | Refusal::ClientPresence { retry_after }
            | Refusal::Presence { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}
