//! What is stored, a row at a time.

use crate::channels::{parsed, parsed_option};
use crate::error::StoreError;
use arena_core::Timestamp;
use arena_core::conversation::{AccountId, ConversationId};
use sqlx::Row;
use sqlx::any::AnyRow;

/// A conversation as of a place in its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRow {
    /// Its name in the log. Never used again, unlike its id.
    pub key: i64,
    /// Its name everywhere else.
    pub id: ConversationId,
    /// Whose it is.
    pub owner: Option<String>,
    /// The first of its ancestors.
    pub root: Option<ConversationId>,
    /// What its log added up to at `position`, as JSON.
    pub state: String,
    /// The last entry that `state` knows.
    pub position: i64,
    /// Whether it was exhausted then.
    pub exhausted: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When something happens in it without anybody's doing.
    pub due_at: Option<Timestamp>,
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// The key of its conversation.
    pub key: i64,
    /// Its place, counted from 1 without gaps.
    pub position: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, such as `message`.
    pub event: String,
    /// The message's id, if its sender chose one: there is one row of it in a conversation.
    pub message_id: Option<String>,
    /// The whole entry, as JSON.
    pub body: String,
}

/// A budget that several conversations share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Whose.
    pub id: AccountId,
    /// Rises by 1 with every change, from 1 on. In a batch: the one that was read, 0 for a budget that is new.
    pub version: i64,
    /// Its state, as JSON.
    pub state: String,
}

/// The columns that [`conversation`] reads.
pub(super) const CONVERSATION: &str = "key, id, owner, root, state, position, exhausted, created_at, due_at";

/// The columns that [`entry`] reads, of a log called `l`.
pub(super) const ENTRY: &str = "l.conversation, l.position, l.at, l.event, l.message_id, l.body";

pub(super) fn conversation(row: &AnyRow) -> Result<ConversationRow, StoreError> {
    Ok(ConversationRow {
        key: row.try_get(0)?,
        id: parsed(row, 1)?,
        owner: row.try_get(2)?,
        root: parsed_option(row, 3)?,
        state: row.try_get(4)?,
        position: row.try_get(5)?,
        exhausted: row.try_get::<i64, _>(6)? != 0,
        created_at: Timestamp(row.try_get(7)?),
        due_at: row.try_get::<Option<i64>, _>(8)?.map(Timestamp),
    })
}

pub(super) fn entry(row: &AnyRow) -> Result<LogRow, StoreError> {
    Ok(LogRow {
        key: row.try_get(0)?,
        position: row.try_get(1)?,
        at: Timestamp(row.try_get(2)?),
        event: row.try_get(3)?,
        message_id: row.try_get(4)?,
        body: row.try_get(5)?,
    })
}

pub(super) fn account(row: &AnyRow) -> Result<AccountRow, StoreError> {
    Ok(AccountRow { id: parsed(row, 0)?, version: row.try_get(1)?, state: row.try_get(2)? })
}
