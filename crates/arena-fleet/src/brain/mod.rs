//! What bots say and do. A brain gets what a bot senses and answers with what it does; it never touches a connection.

mod brains;
mod error;
mod llm;
mod scripted;
mod seed;
mod wanderer;

pub use brains::Brains;
pub use error::BrainsError;
pub use llm::ModelStats;

use crate::identity::{BrainKind, Identity};
use async_trait::async_trait;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A line of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who said it.
    pub author: String,
    /// What.
    pub text: String,
}

/// What a bot senses.
#[derive(Debug, Clone, PartialEq)]
pub enum Sensed {
    /// It has come into a conversation; the lines so far, oldest first, as far as they are known.
    Entered {
        /// What was said before.
        history: Vec<Line>,
    },
    /// Somebody else said something.
    Heard {
        /// Who and what.
        line: Line,
        /// One message is left to it, or to all: now is the time for a goodbye.
        last_word: bool,
    },
    /// Nobody has said anything for so long.
    Quiet {
        /// How long.
        lasted: Duration,
    },
    /// It is to leave: a goodbye, if it has one.
    Leaving,
    /// It is in a world, or its world is a new one: the snapshot.
    World {
        /// As in `docs/realtime.md`.
        snapshot: Value,
        /// The id of its own body.
        body: String,
    },
    /// What a tick of the world did.
    Delta {
        /// As in `docs/realtime.md`.
        delta: Value,
    },
    /// An input was refused: the answer to it, or the world's `refused`.
    Refused {
        /// The input's name.
        input: String,
        /// The refusal's code.
        code: String,
    },
    /// A second or so passed in a world. What a bot does there it does at its own pace, so this comes all the time.
    Idle,
}

/// What a bot does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Says something, after it has typed for a while.
    Say {
        /// What.
        text: String,
        /// How long it types.
        typing: Duration,
        /// What it has cost; `None` where nothing was reserved.
        spent: Option<Spent>,
    },
    /// Sends an input to its world.
    Input {
        /// The input's name.
        event: String,
        /// What it carries.
        payload: Value,
    },
    /// Leaves the conversation.
    Leave,
}

/// What a reply has cost, to be committed with the message that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// The reservation that it comes out of.
    pub reservation: Option<String>,
    /// Tokens, of the prompt and of the reply.
    pub tokens: u64,
    /// Money, in millionths.
    pub cost_micros: u64,
}

/// Holds a part of the conversation's budget while a reply is being written.
#[async_trait]
pub trait Purse: Send + Sync {
    /// Reserves one message with so many tokens and so much money; gives the reservation's id, or `None` where the
    /// conversation has no budgets.
    async fn reserve(&self, tokens: u64, cost_micros: u64) -> Result<Option<String>, Unpaid>;

    /// Gives a reservation back of which nothing came.
    async fn release(&self, reservation: &str);
}

/// The conversation has no budget for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the conversation has no budget for it: {code}")]
pub struct Unpaid {
    /// The refusal's code.
    pub code: String,
}

/// Where a bot is while it thinks.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Who it is.
    pub me: &'a Identity,
    /// Who pays. Shared, because what was reserved is given back even when the thought is dropped.
    pub purse: &'a Arc<dyn Purse>,
}

/// What makes a bot speak and move. One brain serves one bot in one place.
#[async_trait]
pub trait Brain: Send {
    /// Which kind it is, at this moment: a model that is down leaves a scripted one.
    fn kind(&self) -> BrainKind;

    /// What the bot does about what it senses; nothing is a fine answer. May take its time, and may be dropped in the
    /// middle of it.
    async fn think(&mut self, scene: Scene<'_>, sensed: Sensed) -> Vec<Act>;
}
