//! Reading tickets and matches by their ids, within a transaction.

use super::rows::{self, MatchRow, TicketRow, match_columns, member_columns, ticket_columns};
use crate::db::Tx;
use crate::error::StoreError;
use crate::sized::{Sized, padded};
use arena_core::matching::{MatchId, TicketId};
use std::collections::BTreeMap;
use std::fmt::Display;

static TICKETS: Sized =
    Sized::new(concat!("SELECT ", ticket_columns!(), " FROM tickets WHERE id IN (VALUES "), 1, ")");

static MATCHES: Sized =
    Sized::new(concat!("SELECT ", match_columns!(), " FROM matches WHERE id IN (VALUES "), 1, ")");

static MEMBERS: Sized = Sized::new(
    concat!("SELECT ", member_columns!(), " FROM match_members WHERE match_id IN (VALUES "),
    1,
    ") ORDER BY match_id, team, ticket",
);

/// Tickets by their ids, in any order; those that are not there are left out.
pub(super) async fn tickets(tx: &mut Tx, ids: &[TicketId]) -> Result<Vec<TicketRow>, StoreError> {
    let mut found = Vec::new();
    for part in padded(ids) {
        let query = part.iter().fold(TICKETS.of(tx, part.len()), |query, id| query.bind(id.to_string()));
        for row in tx.rows(query).await? {
            found.push(rows::ticket(&row)?);
        }
    }
    Ok(found)
}

/// Matches by their ids, in that order; those that are not there are left out.
pub(super) async fn matches(tx: &mut Tx, ids: &[MatchId]) -> Result<Vec<MatchRow>, StoreError> {
    let mut found = BTreeMap::new();
    for part in padded(ids) {
        let query = part.iter().fold(MATCHES.of(tx, part.len()), |query, id| query.bind(id.to_string()));
        for row in tx.rows(query).await? {
            let meeting = rows::meeting(&row)?;
            found.insert(meeting.id, meeting);
        }
    }
    let mut found: Vec<_> = ids.iter().filter_map(|id| found.remove(id)).collect();
    add_members(tx, &mut found).await?;
    Ok(found)
}

/// Matches by their ids, in that order. Those that are not there are left out; so are those that cannot be read, which are
/// logged: they hold up no others.
pub(super) async fn legible_matches(tx: &mut Tx, ids: &[MatchId]) -> Result<Vec<MatchRow>, StoreError> {
    match matches(tx, ids).await {
        Err(StoreError::Corrupt(_)) => {}
        outcome => return outcome,
    }
    let mut found = Vec::new();
    for id in ids {
        match matches(tx, &[*id]).await {
            Ok(rows) => found.extend(rows),
            Err(error @ StoreError::Corrupt(_)) => unreadable("match", id, &error),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Tickets by their ids, in any order, likewise without those that cannot be read.
pub(super) async fn legible_tickets(tx: &mut Tx, ids: &[TicketId]) -> Result<Vec<TicketRow>, StoreError> {
    match tickets(tx, ids).await {
        Err(StoreError::Corrupt(_)) => {}
        outcome => return outcome,
    }
    let mut found = Vec::new();
    for id in ids {
        match tickets(tx, &[*id]).await {
            Ok(rows) => found.extend(rows),
            Err(error @ StoreError::Corrupt(_)) => unreadable("ticket", id, &error),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Says that a row is passed over.
pub(super) fn unreadable(what: &'static str, which: &impl Display, error: &StoreError) {
    tracing::warn!(what, %which, %error, "a row of the matchmaker cannot be read; the others go on without it");
}

/// Reads the members of matches.
pub(super) async fn add_members(tx: &mut Tx, matches: &mut [MatchRow]) -> Result<(), StoreError> {
    let ids: Vec<_> = matches.iter().map(|meeting| meeting.id).collect();
    let mut members: BTreeMap<MatchId, Vec<_>> = BTreeMap::new();
    for part in padded(&ids) {
        let query = part.iter().fold(MEMBERS.of(tx, part.len()), |query, id| query.bind(id.to_string()));
        for row in tx.rows(query).await? {
            let (meeting, member) = rows::member(&row)?;
            members.entry(meeting).or_default().push(member);
        }
    }
    for meeting in matches {
        meeting.members = members.remove(&meeting.id).unwrap_or_default();
    }
    Ok(())
}
