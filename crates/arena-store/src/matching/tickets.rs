//! Tickets while they wait.

use super::rows::TicketRow;
use crate::db::Store;
use crate::error::StoreError;
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{QueueName, TicketEnd, TicketId, Waiting, Wish};

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

impl Store {
    /// Makes tickets, each by itself: one outcome each, in their order. Many share a transaction.
    pub async fn create_tickets(
        &self,
        tickets: &[NewTicket],
        now: Timestamp,
    ) -> Result<Vec<Result<TicketRow, TicketError>>, StoreError> {
        let _ = (tickets, now);
        todo!()
    }

    /// A ticket.
    pub async fn ticket(&self, id: TicketId) -> Result<Option<TicketRow>, StoreError> {
        let _ = id;
        todo!()
    }

    /// Tickets by their ids, many in a statement; those that are not there are left out.
    pub async fn tickets_by_id(&self, ids: &[TicketId]) -> Result<Vec<TicketRow>, StoreError> {
        let _ = ids;
        todo!()
    }

    /// The ticket that a user is on now, if it is on one that is not over.
    pub async fn ticket_of(&self, user: &ParticipantId) -> Result<Option<TicketRow>, StoreError> {
        let _ = user;
        todo!()
    }

    /// Notes that something was heard of these tickets' users. Returns those that are not over.
    pub async fn tickets_seen(&self, ids: &[TicketId], now: Timestamp) -> Result<Vec<TicketId>, StoreError> {
        let _ = (ids, now);
        todo!()
    }

    /// Ends a ticket that waits. `None` if there is none of this id; one that is in a match, or over, is given back as it
    /// is and not changed.
    pub async fn end_waiting(
        &self,
        id: TicketId,
        ended: TicketEnd,
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError> {
        let _ = (id, ended, now);
        todo!()
    }

    /// Ends tickets of a queue that wait and were last heard of before `silent_before`, or (where given) wait since before
    /// `since_before`; at most `limit` of each. Returns which, with their ends.
    pub async fn end_stale(
        &self,
        queue: &QueueName,
        silent_before: Timestamp,
        since_before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(TicketId, TicketEnd)>, StoreError> {
        let _ = (queue, silent_before, since_before, limit, now);
        todo!()
    }

    /// Everything that waits in a queue, in any order.
    pub async fn waiting(&self, queue: &QueueName) -> Result<Vec<Waiting>, StoreError> {
        let _ = queue;
        todo!()
    }
}
