//! What is stored, a row at a time.

use crate::channels::{number, parsed, parsed_option};
use crate::error::StoreError;
use arena_core::Timestamp;
use arena_core::channel::ChannelName;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::{
    Kind, MatchEnd, MatchId, MatchState, QueueName, TicketEnd, TicketId, TicketState, Wish,
};
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::sync::Arc;

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRow {
    /// Which.
    pub id: TicketId,
    /// Where it waits, or waited.
    pub queue: QueueName,
    /// What it wants.
    pub wish: Arc<Wish>,
    /// Where it is in its life.
    pub state: TicketState,
    /// Why it has ended, if it has.
    pub ended: Option<TicketEnd>,
    /// Rises with every change of its state.
    pub version: i64,
    /// When it began to wait.
    pub since: Timestamp,
    /// It comes before those that were not let down.
    pub ahead: bool,
    /// When something was last heard of its user.
    pub seen_at: Timestamp,
    /// The match that it is in, or was in last.
    pub in_match: Option<MatchId>,
    /// How long it waited for the match that it is in, or was in last, once that stood; in milliseconds.
    pub waited_ms: Option<u64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state changed.
    pub changed_at: Timestamp,
}

/// A match, with the tickets in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRow {
    /// Which.
    pub id: MatchId,
    /// The queue that it came from.
    pub queue: QueueName,
    /// Where it is in its life.
    pub state: MatchState,
    /// Why it has ended, if it has.
    pub ended: Option<MatchEnd>,
    /// Whose doing that was, if it was somebody's.
    pub ended_by: Option<ParticipantId>,
    /// Where its members talk.
    pub conversation: Option<ConversationId>,
    /// Where its tournament is.
    pub channel: Option<ChannelName>,
    /// How well they go together, 0 to 100.
    pub quality: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when everybody has to confirm.
    pub confirm_until: Timestamp,
    /// When its state changed.
    pub changed_at: Timestamp,
    /// Its tickets, by team.
    pub members: Vec<MemberRow>,
}

/// A ticket in a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Which ticket.
    pub ticket: TicketId,
    /// Who acts for it.
    pub user: ParticipantId,
    /// What kind.
    pub kind: Kind,
    /// How others are told of it.
    pub name: Option<String>,
    /// Who is on it beside `user`.
    pub party: Vec<ParticipantId>,
    /// Its team, from 0.
    pub team: u32,
    /// When it confirmed, if it has.
    pub confirmed_at: Option<Timestamp>,
    /// Since when its connection is gone, if it is.
    pub away_since: Option<Timestamp>,
}

/// What a user has said about a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Which.
    pub id: uuid::Uuid,
    /// The match that they met in.
    pub in_match: MatchId,
    /// Who says it.
    pub reporter: ParticipantId,
    /// Of whom.
    pub reported: ParticipantId,
    /// A short word.
    pub reason: String,
    /// More of it, for people.
    pub detail: String,
    /// When.
    pub created_at: Timestamp,
}

/// The columns that [`ticket`] reads.
macro_rules! ticket_columns {
    () => {
        "id, queue, wish, state, ended, version, since, ahead, seen_at, match_id, waited_ms, created_at, changed_at"
    };
}
pub(super) use ticket_columns;

/// The columns that [`meeting`] reads.
macro_rules! match_columns {
    () => {
        "id, queue, state, ended, ended_by, conversation, channel, quality, made_at, confirm_until, changed_at"
    };
}
pub(super) use match_columns;

/// The columns that [`member`] reads.
macro_rules! member_columns {
    () => {
        "match_id, ticket, user_id, kind, name, party, team, confirmed_at, away_since"
    };
}
pub(super) use member_columns;

pub(super) fn ticket(row: &AnyRow) -> Result<TicketRow, StoreError> {
    Ok(TicketRow {
        id: parsed(row, 0)?,
        queue: parsed(row, 1)?,
        wish: Arc::new(json(row.try_get(2)?)?),
        state: named(row.try_get(3)?, TicketState::named)?,
        ended: row.try_get::<Option<&str>, _>(4)?.map(|name| named(name, TicketEnd::named)).transpose()?,
        version: row.try_get(5)?,
        since: Timestamp(row.try_get(6)?),
        ahead: row.try_get::<i64, _>(7)? != 0,
        seen_at: Timestamp(row.try_get(8)?),
        in_match: parsed_option(row, 9)?,
        waited_ms: row.try_get::<Option<i64>, _>(10)?.map(|ms| u64::try_from(ms).unwrap_or(0)),
        created_at: Timestamp(row.try_get(11)?),
        changed_at: Timestamp(row.try_get(12)?),
    })
}

/// A match, without its members.
pub(super) fn meeting(row: &AnyRow) -> Result<MatchRow, StoreError> {
    Ok(MatchRow {
        id: parsed(row, 0)?,
        queue: parsed(row, 1)?,
        state: named(row.try_get(2)?, MatchState::named)?,
        ended: row.try_get::<Option<&str>, _>(3)?.map(|name| named(name, MatchEnd::named)).transpose()?,
        ended_by: parsed_option(row, 4)?,
        conversation: parsed_option(row, 5)?,
        channel: parsed_option(row, 6)?,
        quality: number(row, 7)?,
        made_at: Timestamp(row.try_get(8)?),
        confirm_until: Timestamp(row.try_get(9)?),
        changed_at: Timestamp(row.try_get(10)?),
        members: Vec::new(),
    })
}

/// A member, and which match it is of.
pub(super) fn member(row: &AnyRow) -> Result<(MatchId, MemberRow), StoreError> {
    let member = MemberRow {
        ticket: parsed(row, 1)?,
        user: parsed(row, 2)?,
        kind: named(row.try_get(3)?, Kind::named)?,
        name: row.try_get(4)?,
        party: row.try_get::<Option<&str>, _>(5)?.map_or(Ok(Vec::new()), json)?,
        team: number(row, 6)?,
        confirmed_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp),
        away_since: row.try_get::<Option<i64>, _>(8)?.map(Timestamp),
    };
    Ok((parsed(row, 0)?, member))
}

/// A value that is stored as JSON.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(StoreError::corrupt)
}

/// A value that is stored by its name.
fn named<T>(name: &str, of_name: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    of_name(name).ok_or_else(|| StoreError::corrupt(format!("the state or kind `{name}`")))
}
