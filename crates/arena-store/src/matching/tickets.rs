//! Tickets while they wait.

use super::create::create;
use super::locks::hold_tickets;
use super::read;
use super::rows::{TicketRow, json};
use crate::channels::parsed;
use crate::db::{Store, Tx, transact};
use crate::error::StoreError;
use crate::sized::{Sized, padded, parts};
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{QueueName, TicketEnd, TicketId, TicketState, Waiting, Wish};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A ticket that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket {
    /// Its id. The same id with the same queue and wish is the same ticket: it is not made twice.
    pub id: TicketId,
    /// Where it waits.
    pub queue: QueueName,
    /// What it wants; checked.
    pub wish: Wish,
}

/// Why a ticket was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TicketError {
    /// There is no such queue.
    #[error("there is no queue `{0}`")]
    NoQueue(QueueName),
    /// A user on it is on a ticket already that is not over.
    #[error("`{user}` is on ticket {ticket} already; cancel that first, or go on with it")]
    OnAnother {
        /// Who.
        user: ParticipantId,
        /// The ticket.
        ticket: TicketId,
    },
    /// The id belongs to another wish.
    #[error("ticket {0} was made for another wish; use a new id")]
    IdTaken(TicketId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

static SEEN: Sized = Sized::new(
    "UPDATE tickets SET seen_at = CASE WHEN seen_at < v.column2 THEN v.column2 ELSE seen_at END FROM (VALUES ",
    2,
    ") AS v WHERE tickets.id = v.column1 AND tickets.state <> 'over' RETURNING tickets.id",
);

static END: Sized = Sized::new(
    "UPDATE tickets SET state = 'over', ended = v.column2, version = version + 1, changed_at = v.column3 \
     FROM (VALUES ",
    3,
    ") AS v WHERE tickets.id = v.column1",
);

static FREE_USERS: Sized = Sized::new("DELETE FROM ticket_users WHERE ticket IN (VALUES ", 1, ")");

impl Store {
    /// Makes tickets, each by itself: one outcome each, in their order. Many share a transaction.
    pub async fn create_tickets(
        &self,
        tickets: &[NewTicket],
        now: Timestamp,
    ) -> Result<Vec<Result<TicketRow, TicketError>>, StoreError> {
        if tickets.is_empty() {
            return Ok(Vec::new());
        }
        transact!(self.write_by_index(), |tx| { create(&mut tx, tickets, now).await })
    }

    /// A ticket.
    pub async fn ticket(&self, id: TicketId) -> Result<Option<TicketRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let found = read::tickets(&mut tx, &[id]).await?.pop();
        tx.commit().await?;
        Ok(found)
    }

    /// Tickets by their ids, in any order, many in a statement; those that are not there, or cannot be read, are left out.
    pub async fn tickets_by_id(&self, ids: &[TicketId]) -> Result<Vec<TicketRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let found = read::legible_tickets(&mut tx, ids).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// The ticket that a user is on now, if it is on one that is not over.
    pub async fn ticket_of(&self, user: &ParticipantId) -> Result<Option<TicketRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let sql = "SELECT ticket FROM ticket_users WHERE user_id = $1";
        let id = tx.row(tx.sql(sql).bind(user.to_string())).await?;
        let found = match id {
            Some(id) => read::tickets(&mut tx, &[parsed(&id, 0)?]).await?.pop(),
            None => None,
        };
        tx.commit().await?;
        Ok(found)
    }

    /// Notes that something was heard of these tickets' users. Returns those that are not over.
    pub async fn tickets_seen(&self, ids: &[TicketId], now: Timestamp) -> Result<Vec<TicketId>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // In order, and each once: one statement changes no row twice.
        let ordered: Vec<_> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        transact!(self.write_by_index(), |tx| {
            hold_tickets(&mut tx, &ordered).await?;
            let mut live = Vec::new();
            for part in parts(&ordered) {
                let query = SEEN.of(&tx, part.len());
                let query = part.iter().fold(query, |query, id| query.bind(id.to_string()).bind(now.0));
                live.extend(self::ids(&tx.rows(query).await?)?);
            }
            Ok(live)
        })
    }

    /// Ends a ticket that waits. `None` if there is none of this id; one that is in a match, or over, is given back as it
    /// is and not changed.
    pub async fn end_waiting(
        &self,
        id: TicketId,
        ended: TicketEnd,
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError> {
        transact!(self.write_by_index(), |tx| {
            hold_tickets(&mut tx, &[id]).await?;
            let Some(mut ticket) = read::tickets(&mut tx, &[id]).await?.pop() else { return Ok(None) };
            if ticket.state == TicketState::Waiting {
                end_tickets(&mut tx, &[id], ended, now).await?;
                ticket.state = TicketState::Over;
                ticket.ended = Some(ended);
                ticket.version += 1;
                ticket.changed_at = now;
            }
            Ok(Some(ticket))
        })
    }

    /// Ends tickets of a queue that wait and were last heard of before `silent_before`, or (where given) wait since before
    /// `since_before`; at most `limit` of each. Returns which, with their ends. One that is both ends as
    /// [`TicketEnd::Silent`].
    pub async fn end_stale(
        &self,
        queue: &QueueName,
        silent_before: Timestamp,
        since_before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(TicketId, TicketEnd)>, StoreError> {
        let mut stale = self.stale(SILENT, queue, silent_before, TicketEnd::Silent, limit).await?;
        if let Some(before) = since_before {
            stale.extend(self.stale(TIMED_OUT, queue, before, TicketEnd::TimedOut, limit).await?);
        }
        // Mostly there is none, and then nobody is kept from writing.
        if stale.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = stale.iter().map(|(id, _)| *id).collect();
        transact!(self.write_by_index(), |tx| {
            hold_tickets(&mut tx, &ids).await?;
            let mut ended = Vec::new();
            let mut waiting = read::legible_tickets(&mut tx, &ids).await?;
            waiting.retain(|ticket| ticket.state == TicketState::Waiting);
            for end in [TicketEnd::Silent, TicketEnd::TimedOut] {
                let is_due = |ticket: &TicketRow| match end {
                    TicketEnd::Silent => ticket.seen_at < silent_before,
                    _ => since_before.is_some_and(|before| ticket.since < before),
                };
                let due: Vec<_> =
                    waiting.extract_if(.., |ticket| is_due(ticket)).map(|ticket| ticket.id).collect();
                end_tickets(&mut tx, &due, end, now).await?;
                ended.extend(due.into_iter().map(|id| (id, end)));
            }
            Ok(ended)
        })
    }

    /// Everything that waits in a queue, in any order, without tickets that cannot be read.
    pub async fn waiting(&self, queue: &QueueName) -> Result<Vec<Waiting>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let sql = "SELECT id, version, since, ahead, wish FROM tickets \
                   WHERE queue = $1 AND state = 'waiting' AND state <> 'over'";
        let rows = tx.rows(tx.sql(sql).bind(queue.to_string())).await?;
        tx.commit().await?;
        let legible = |row: &AnyRow| match waiting(row) {
            Err(error @ StoreError::Corrupt(_)) => {
                read::unreadable("ticket", &row.try_get::<&str, _>(0).unwrap_or_default(), &error);
                None
            }
            outcome => Some(outcome),
        };
        rows.iter().filter_map(legible).collect()
    }

    /// Those that were last heard of, or wait since, before then: the first of them.
    async fn stale(
        &self,
        sql: &'static str,
        queue: &QueueName,
        before: Timestamp,
        end: TicketEnd,
        limit: u32,
    ) -> Result<Vec<(TicketId, TicketEnd)>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let query = tx.sql(sql).bind(queue.to_string()).bind(before.0).bind(i64::from(limit));
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        Ok(ids(&rows)?.into_iter().map(|id| (id, end)).collect())
    }
}

const SILENT: &str = "SELECT id FROM tickets WHERE queue = $1 AND seen_at < $2 AND state = 'waiting' \
                      AND state <> 'over' ORDER BY seen_at LIMIT $3";
const TIMED_OUT: &str = "SELECT id FROM tickets WHERE queue = $1 AND since < $2 AND state = 'waiting' \
                         AND state <> 'over' AND kind IN ('human', 'bot') ORDER BY since LIMIT $3";

/// Ends tickets, which the transaction holds, and lets go of their users.
pub(super) async fn end_tickets(
    tx: &mut Tx,
    ids: &[TicketId],
    end: TicketEnd,
    now: Timestamp,
) -> Result<(), StoreError> {
    for part in parts(ids) {
        let query = part.iter().fold(END.of(tx, part.len()), |query, id| {
            query.bind(id.to_string()).bind(end.as_str()).bind(now.0)
        });
        tx.execute(query).await?;
    }
    for part in padded(ids) {
        let query = FREE_USERS.of(tx, part.len());
        tx.execute(part.iter().fold(query, |query, id| query.bind(id.to_string()))).await?;
    }
    Ok(())
}

/// The ids in the first column.
pub(super) fn ids(rows: &[AnyRow]) -> Result<Vec<TicketId>, StoreError> {
    rows.iter().map(|row| parsed(row, 0)).collect()
}

fn waiting(row: &AnyRow) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        id: parsed(row, 0)?,
        version: row.try_get(1)?,
        since: Timestamp(row.try_get(2)?),
        ahead: row.try_get::<i64, _>(3)? != 0,
        wish: Arc::new(json(row.try_get(4)?)?),
    })
}
