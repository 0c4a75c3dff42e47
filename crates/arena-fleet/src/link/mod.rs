//! One connection: a task that owns the socket, sends what channels ask for and hands over what the endpoint says.

mod actor;
mod frames;
mod pending;
mod route;

use crate::channel::{ChannelEvent, PushError, Reply};
use arena_core::fleet::Fault;
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

pub(crate) use actor::{Actor, Limits};

/// What channels of a connection want of it and it has not looked at yet. More is refused ([`PushError::Full`]); joins
/// wait for room.
pub(crate) const COMMANDS: usize = 32;
/// What a channel was told and has not looked at yet. A supervisor looks at once; where more comes in between, the
/// channel is joined anew.
pub(crate) const TOLD: usize = 64;

/// Takes the answer to something.
pub(crate) type Answer = oneshot::Sender<Result<Reply, PushError>>;

/// What is asked of a connection. Topics are as on the wire. Leaving is not among it: that is by giving a lease back.
#[derive(Debug)]
pub(crate) enum Command {
    /// Join a topic. A refused join leaves nothing behind; one without an answer in time is to be given back.
    Join {
        /// Which.
        topic: Arc<str>,
        /// How.
        payload: Box<RawValue>,
        /// Takes what is said there until it is dropped.
        told: mpsc::Sender<Told>,
        /// Whether presence is to be told.
        presence: bool,
        /// Takes the reply.
        answer: Answer,
    },
    /// Send something in a topic that is joined.
    Send {
        /// In which.
        topic: Arc<str>,
        /// `broadcast`, `presence`, `access_token`.
        event: &'static str,
        /// What.
        payload: Box<RawValue>,
        /// Takes the reply, if anybody wants it.
        answer: Option<Answer>,
    },
}

/// What a channel hears from its connection. When the connection ends, the queue does.
#[derive(Debug)]
pub(crate) enum Told {
    /// A message, presence, or a word of the endpoint's. Boxed, as is whatever queues carry here: a queue keeps room for
    /// 32 entries, of each channel of each bot.
    Event(Box<ChannelEvent>),
    /// `phx_error`: the topic is not joined any more.
    Errored(Box<Value>),
    /// `phx_close`, not asked for: the topic is not joined any more.
    Closed,
}

/// How far a connection is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LinkState {
    /// It waits for its turn.
    Waiting,
    /// It connects.
    Connecting,
    /// It works.
    Open,
    /// It is no more.
    Ended(End),
}

/// Why a connection is no more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    /// Why.
    pub(crate) fault: Fault,
    /// Whether it counts as a failure of those who used it.
    pub(crate) counts: bool,
    /// Whether it had been open.
    pub(crate) was_open: bool,
}
