//! Messages and their places in a stream.

use bytes::Bytes;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Names one life of a stream. Offsets of different epochs have nothing to do with each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Epoch(Arc<str>);

impl Epoch {
    /// One that was never used before: 48 random bits.
    pub(crate) fn fresh() -> Epoch {
        let random = uuid::Uuid::new_v4().as_u64_pair().0 >> 16;
        Epoch(format!("{random:012x}").into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Epoch {
    fn from(text: &str) -> Epoch {
        Epoch(text.into())
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in a stream: the last message that was seen. Offset 0 is before the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The number of a message, from 1, without gaps.
    pub offset: u64,
    /// The life of the stream that it counts in.
    pub epoch: Epoch,
}

/// What a message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// One JSON value, as text.
    Json(Bytes),
    /// Bytes that mean something to their readers only.
    Binary(Bytes),
}

impl Payload {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Payload::Json(bytes) | Payload::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Readers who get something else than the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Who, by their ids.
    pub users: BTreeSet<Arc<str>>,
    /// What they get in place of the payload; nothing at all where it is `None`.
    pub instead: Option<Payload>,
}

/// A message to be published.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What kind of message it is, to its readers.
    pub event: Arc<str>,
    /// What it carries.
    pub payload: Payload,
    /// An id of its publisher's choice. A second draft of the same author under the same id is not published again
    /// while the first is in the history.
    pub id: Option<Arc<str>>,
    /// Who publishes; ids are told apart by author.
    pub author: Option<Arc<str>>,
    /// The session that publishes, which may not want to hear its own message.
    pub from: Option<u64>,
    /// Readers who get something else, or nothing; `None`: all get the same.
    pub audience: Option<Arc<Audience>>,
    /// When it was said, in milliseconds since the Unix epoch; `None`: now.
    pub at_ms: Option<u64>,
}

impl Draft {
    /// A draft of the server's own.
    pub fn new(event: &str, payload: Payload) -> Draft {
        Draft {
            event: event.into(),
            payload,
            id: None,
            author: None,
            from: None,
            audience: None,
            at_ms: None,
        }
    }
}

/// A published message.
#[derive(Debug)]
pub struct Message {
    /// What kind of message it is.
    pub event: Arc<str>,
    /// What it carries.
    pub payload: Payload,
    /// The id that its publisher gave it.
    pub given_id: Option<Arc<str>>,
    /// Its author.
    pub author: Option<Arc<str>>,
    /// The session that published it.
    pub from: Option<u64>,
    /// Readers who get something else.
    pub audience: Option<Arc<Audience>>,
    /// Its number in the epoch; of a transient one, that of the message before it.
    pub offset: u64,
    /// The epoch.
    pub epoch: Epoch,
    /// It has no number of its own and is not kept: whoever was not there does not hear of it.
    pub transient: bool,
    /// Its number in the whole life of the stream's object, across epochs and with the transient ones: orders messages
    /// within this process.
    pub sequence: u64,
    /// When it was said, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

impl Message {
    /// Its id: the publisher's, or its place in the stream as `epoch:offset`; `epoch:offset+sequence` where it is
    /// transient.
    pub fn id(&self) -> String {
        match &self.given_id {
            Some(id) => id.as_ref().to_owned(),
            None if self.transient => format!("{}:{}+{}", self.epoch, self.offset, self.sequence),
            None => format!("{}:{}", self.epoch, self.offset),
        }
    }

    /// Its place; of a transient one, the place that it follows.
    pub fn position(&self) -> Position {
        Position { offset: self.offset, epoch: self.epoch.clone() }
    }
}

/// What became of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where the message stands.
    pub position: Position,
    /// Whether it stood there already, under the same id.
    pub duplicate: bool,
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
