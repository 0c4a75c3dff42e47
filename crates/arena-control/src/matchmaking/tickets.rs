//! The calls about tickets.

use super::error::MatchError;
use super::service::Inner;
use super::view::TicketView;
use super::{Matchmaking, acting};
use crate::error::ServiceError;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchEnd, QueueName, TicketEnd, TicketId, TicketState, Wish};
use arena_store::{NewTicket, Page, PageRequest, StoreError, TicketFilter, TicketRow, now};
use std::time::Duration;
use tokio::time::Instant;

/// How often a ticket is looked at again that changes while it is taken back.
const TRIES: u32 = 8;

impl Matchmaking {
    /// Makes a ticket. Without an id, one is made up; the same id with the same wish is the same ticket.
    pub async fn enqueue(
        &self,
        queue: &QueueName,
        id: Option<TicketId>,
        wish: Wish,
    ) -> Result<TicketView, ServiceError> {
        let inner = &self.inner;
        let known = inner.known.get(&inner.store, queue).await?;
        wish.check(&known.row.rules).map_err(|error| MatchError::InvalidTicket(error.to_string()))?;
        let id = id.unwrap_or_else(|| TicketId(uuid::Uuid::now_v7()));
        if known.waiting >= inner.settings.max_waiting {
            // Whoever is there already is told so, all the same.
            return match inner.store.ticket(id).await? {
                Some(row) if row.queue == *queue && *row.wish == wish => inner.view(row).await,
                _ => Err(ServiceError::Overloaded),
            };
        }
        let row = inner.intake.make(NewTicket { id, queue: queue.clone(), wish }).await?;
        inner.beat(&row);
        inner.view(row).await
    }

    /// A ticket, with the match that it is in, or was in last.
    pub async fn ticket(&self, id: TicketId) -> Result<TicketView, ServiceError> {
        let row = self.inner.row(id).await?;
        self.inner.view(row).await
    }

    /// The ticket that a user is on, if it is on one that is not over.
    pub async fn ticket_of(&self, user: &ParticipantId) -> Result<Option<TicketView>, ServiceError> {
        match self.inner.store.ticket_of(user).await? {
            Some(row) => Ok(Some(self.inner.view(row).await?)),
            None => Ok(None),
        }
    }

    /// Waits until a ticket is not in this version any more, at most so long; and counts as heartbeats all the while. One
    /// that is over is not waited for. May be dropped, which changes nothing.
    pub async fn wait(
        &self,
        id: TicketId,
        known: i64,
        at_most: Duration,
    ) -> Result<TicketView, ServiceError> {
        let inner = &self.inner;
        let sitting = inner.polls.sit(id).ok_or(ServiceError::Overloaded)?;
        let deadline = Instant::now() + at_most;
        loop {
            let mut changed = std::pin::pin!(sitting.place.changed());
            changed.as_mut().enable();
            let row = inner.row(id).await?;
            sitting.place.read(row.version);
            inner.beat(&row);
            let over = row.state == TicketState::Over;
            if over || row.version != known || Instant::now() >= deadline {
                return inner.view(row).await;
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(deadline) => {}
                () = inner.stop.cancelled() => return Err(ServiceError::ShuttingDown),
            }
        }
    }

    /// Says that a ticket's user is there still.
    pub async fn heartbeat(&self, id: TicketId) -> Result<TicketView, ServiceError> {
        let row = self.inner.row(id).await?;
        self.inner.beat(&row);
        self.inner.view(row).await
    }

    /// Takes a ticket back: one that waits ends, a match that is only proposed is declined, one that stands is left. Fails if
    /// it changes all the time; then it is to be tried again.
    pub async fn cancel(&self, id: TicketId) -> Result<TicketView, ServiceError> {
        let inner = &self.inner;
        // Between two looks it may be matched, or a partner may go: then it is looked at again.
        for _ in 0..TRIES {
            let ended = inner.store.end_waiting(id, TicketEnd::Cancelled, now()).await?;
            let row = ended.ok_or(MatchError::TicketNotFound(id))?;
            let (TicketState::Proposed | TicketState::Matched, Some(in_match)) = (row.state, row.in_match)
            else {
                inner.changed(row.id, row.wish.users());
                return inner.view(row).await;
            };
            let end = if row.state == TicketState::Proposed { MatchEnd::Declined } else { MatchEnd::Left };
            let user = row.wish.user.clone();
            inner.end_by(in_match, end, &user, acting::Requeue::No).await?;
        }
        // It has come from match to match all the while, and is not taken back.
        Err(StoreError::Contended.into())
    }

    /// A page of tickets, oldest first.
    pub async fn tickets(
        &self,
        filter: TicketFilter,
        page: PageRequest,
    ) -> Result<Page<TicketView>, ServiceError> {
        let Page { items, next_cursor } = self.inner.store.tickets(&filter, &page).await?;
        Ok(Page { items: self.inner.views(items).await?, next_cursor })
    }
}

impl Inner {
    pub(super) async fn row(&self, id: TicketId) -> Result<TicketRow, ServiceError> {
        self.store.ticket(id).await?.ok_or_else(|| MatchError::TicketNotFound(id).into())
    }

    /// Something was heard of the ticket's user.
    pub(super) fn beat(&self, row: &TicketRow) {
        if row.state != TicketState::Over {
            self.pulse.beat(row.id);
        }
    }
}
