//! What callers are told.

use super::telling::context_only;
use crate::error::ServiceError;
use arena_bus::{Epoch, Position, Stream};
use arena_core::conversation::{
    ConversationId, Delivery, ExhaustedBy, MessageId, Notice, ParticipantId, Refusal, Remaining,
    ReservationId, Setup, Share,
};
use arena_core::{ParseIdError, Timestamp};
use bytes::Bytes;
use serde::Serialize;
use std::sync::Arc;

/// What came of a command that was carried out.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Where the entry stands that the command made; the log's end if it made none.
    pub position: Position,
    /// The message's id.
    pub message_id: Option<String>,
    /// Whether it had been carried out before, under the same id.
    pub repeated: bool,
    /// Why the message was dropped, in a conversation that does not tell its participants.
    pub dropped: Option<Box<Refusal>>,
    /// Budgets that came near their end.
    pub notices: Vec<Notice>,
    /// Whose turn it is now.
    pub turn: Option<ParticipantId>,
    /// What is left to whoever spoke.
    pub share: Option<Share>,
    /// What is left in all.
    pub total: Remaining,
    /// What ended the conversation, if it is at its end.
    pub exhausted: Option<ExhaustedBy>,
    /// What is held now, and until when.
    pub reservation: Option<(ReservationId, Timestamp)>,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
    /// The conversation refused it.
    #[error("{}: {}", .0.code.as_str(), .0.detail)]
    Refused(Box<Refusal>),
    /// Something else.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<Refusal> for SubmitError {
    fn from(refusal: Refusal) -> SubmitError {
        SubmitError::Refused(Box::new(refusal))
    }
}

/// A conversation in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Its id.
    pub id: ConversationId,
    /// How it is set up.
    pub setup: Setup,
    /// What ended it.
    pub exhausted: Option<ExhaustedBy>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A line of the log, as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Its number, from 1, without gaps.
    pub position: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What kind of entry it is.
    pub event: Arc<str>,
    /// The id of a message that was given one.
    pub id: Option<MessageId>,
    /// JSON.
    pub body: Bytes,
}

impl LogLine {
    pub(super) fn read(row: arena_store::LogRow) -> Result<LogLine, ServiceError> {
        let id = row.message_id.map(|id| id.parse()).transpose().map_err(corrupt)?;
        let position = u64::try_from(row.position).unwrap_or(0);
        Ok(LogLine { position, at: row.at, event: row.event.into(), id, body: row.body.into() })
    }

    /// The line as it would be given now to one whom messages are [delivered to](super::Conversations::delivery_to) like
    /// this; `None` if it would not.
    pub fn delivered(mut self, delivery: Delivery) -> Option<LogLine> {
        match delivery {
            _ if &*self.event != "message" => {}
            Delivery::All => {}
            Delivery::ContextOnly => self.body = context_only(&self.body),
            Delivery::Withhold => return None,
        }
        Some(self)
    }
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Oldest first.
    pub lines: Vec<LogLine>,
    /// The last one's number: where to go on.
    pub position: u64,
    /// What the numbers count in.
    pub epoch: Epoch,
    /// Whether there are more.
    pub more: bool,
}

/// What an agent needs to know before it speaks.
#[derive(Debug, Clone)]
pub struct Context {
    /// Its own budget, and whether it may send.
    pub share: Share,
    /// What is left in all.
    pub total: Remaining,
    /// What ended the conversation.
    pub exhausted: Option<ExhaustedBy>,
    /// Whose turn it is.
    pub turn: Option<ParticipantId>,
    /// Whether it is this participant's turn, or anybody's.
    pub your_turn: bool,
    /// Budgets that came near their end, and have not been told with a message yet.
    pub notices: Vec<Notice>,
    /// The roster, or whoever has spoken.
    pub participants: Vec<ParticipantId>,
    /// The last messages, oldest first.
    pub last: Vec<LogLine>,
    /// The log's end when this was read.
    pub position: Position,
}

/// Where somebody begins to listen.
#[derive(Debug, Clone)]
pub struct Listening {
    /// The log's end. What is said after it is published on the stream.
    pub position: Position,
    /// The topic's stream.
    pub stream: Arc<Stream>,
    /// Who may speak, and listen; empty: anybody.
    pub roster: Vec<ParticipantId>,
}

/// What was done so far, in this process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ConversationStats {
    /// Messages charged and stored.
    pub messages: u64,
    /// Messages and commands that were repeats.
    pub repeated: u64,
    /// Entries stored, messages included.
    pub entries: u64,
    /// Transactions.
    pub batches: u64,
    /// Transactions that were begun again because somebody else had written.
    pub retries: u64,
    /// Conversations created.
    pub created: u64,
    /// Conversations that came to their end, by what ended them.
    pub exhausted: std::collections::BTreeMap<&'static str, u64>,
    /// Messages dropped, by the code of their refusal.
    pub dropped: std::collections::BTreeMap<&'static str, u64>,
    /// Notices given.
    pub notices: u64,
    /// Tokens charged.
    pub tokens: u64,
    /// Money charged, in micro-units.
    pub cost_micros: u64,
    /// Conversations in memory now.
    pub active: u64,
}

/// Something of the store that cannot be read.
pub(super) fn corrupt(error: impl Into<CorruptError>) -> ServiceError {
    ServiceError::Store(arena_store::StoreError::Corrupt(error.into().0))
}

/// Its words.
pub(super) struct CorruptError(String);

impl From<ParseIdError> for CorruptError {
    fn from(error: ParseIdError) -> CorruptError {
        CorruptError(error.to_string())
    }
}

impl From<serde_json::Error> for CorruptError {
    fn from(error: serde_json::Error) -> CorruptError {
        CorruptError(error.to_string())
    }
}
