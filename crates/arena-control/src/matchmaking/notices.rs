//! Telling users of their tickets, as `ticket` on `user:<user>`.
//!
//! A notice carries the ticket as it is when it is told, so two changes in a moment are told once, and nobody who
//! listens late hears of the past. Whoever hears nothing reads the ticket: nothing depends on a notice.

use super::body::{MatchBody, ReportBody, TicketBody};
use super::cup::Claim;
use super::service::Inner;
use super::view::TicketView;
use crate::error::ServiceError;
use arena_bus::{Draft, Payload};
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchId, TicketId};
use arena_core::topic::TopicName;
use arena_store::{MatchRow, ReportRow};
use bytes::Bytes;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Tickets that may wait to be told of. One more is not told, which is counted: its user reads it.
const MAX_PENDING: usize = 65_536;

/// Tickets that are read in one statement.
const AT_ONCE: usize = 500;

/// How long nothing is told when the store does not answer.
const REST: Duration = Duration::from_millis(500);

/// Tickets that have changed and are not told of yet, each once.
#[derive(Debug, Default)]
pub(super) struct Notices {
    pending: Mutex<BTreeSet<TicketId>>,
    woken: Notify,
}

impl Notices {
    /// Returns how many there was no room for.
    fn add(&self, tickets: impl IntoIterator<Item = TicketId>) -> usize {
        let mut pending = self.lock();
        let mut left_out = 0;
        for ticket in tickets {
            if pending.len() < MAX_PENDING {
                pending.insert(ticket);
            } else {
                left_out += 1;
            }
        }
        drop(pending);
        self.woken.notify_one();
        left_out
    }

    fn take(&self) -> Vec<TicketId> {
        let mut pending = self.lock();
        let mut taken = Vec::with_capacity(pending.len().min(AT_ONCE));
        while taken.len() < AT_ONCE
            && let Some(ticket) = pending.pop_first()
        {
            taken.push(ticket);
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<TicketId>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what is to be told, until it is told to stop.
pub(super) async fn run(inner: Arc<Inner>, stop: CancellationToken) {
    while stop.run_until_cancelled(inner.notices.woken.notified()).await.is_some() {
        loop {
            let tickets = inner.notices.take();
            if tickets.is_empty() {
                break;
            }
            if let Err(error) = inner.tell(&tickets).await {
                tracing::warn!(%error, "tickets that have changed cannot be read; told as soon as they can");
                inner.counters.unnoticed.add(inner.notices.add(tickets));
                if stop.run_until_cancelled(tokio::time::sleep(REST)).await.is_none() {
                    return;
                }
            }
        }
    }
}

impl Inner {
    /// A ticket of these users has changed: whoever waits for it is woken, whoever listens is told.
    pub(super) fn changed<'a>(&self, ticket: TicketId, users: impl IntoIterator<Item = &'a ParticipantId>) {
        self.polls.wake(ticket);
        if users.into_iter().any(|user| self.listens(user)) {
            self.counters.unnoticed.add(self.notices.add([ticket]));
        }
    }

    /// Tickets have changed of whose users nothing is known here.
    pub(super) fn changed_unseen(&self, tickets: impl IntoIterator<Item = TicketId>) {
        for ticket in tickets {
            self.polls.wake(ticket);
            self.counters.unnoticed.add(self.notices.add([ticket]));
        }
    }

    /// All tickets of a match have changed.
    pub(super) fn changed_in(&self, row: &MatchRow) {
        for member in &row.members {
            self.changed(member.ticket, std::iter::once(&member.user).chain(&member.party));
        }
    }

    fn listens(&self, user: &ParticipantId) -> bool {
        topic_of(user).is_some_and(|topic| self.bus.get(&topic).is_some())
    }

    async fn tell(&self, tickets: &[TicketId]) -> Result<(), ServiceError> {
        let rows = self.store.tickets_by_id(tickets).await?;
        for view in self.views(rows).await? {
            self.tell_users(&view);
        }
        Ok(())
    }

    fn tell_users(&self, view: &TicketView) {
        let mut payload: Option<Bytes> = None;
        for stream in view.ticket.wish.users().filter_map(|user| self.bus.get(&topic_of(user)?)) {
            let json = payload.get_or_insert_with(|| json(&TicketBody::new(view)));
            if stream.tell(Draft::new("ticket", Payload::Json(json.clone()))).is_err() {
                self.counters.unnoticed.add(1);
            }
        }
    }

    /// Tells operators of a match that ended in a way that they may want to look into.
    pub(super) fn tell_operators_of_end(&self, row: &MatchRow) {
        self.tell_operators("match_over", || json(&MatchBody::for_operators(row)));
    }

    /// Tells operators what a user has said about a partner.
    pub(super) fn tell_operators_of_report(&self, report: &ReportRow) {
        self.tell_operators("report", || json(&ReportBody::new(report)));
    }

    /// Tells operators of a game of which its two players do not say the same.
    pub(super) fn tell_operators_of_dispute(&self, id: MatchId, game: u32, claims: &[Claim]) {
        let body = || json(&serde_json::json!({ "match": id, "game": game, "claims": claims }));
        self.tell_operators("dispute", body);
    }

    fn tell_operators(&self, event: &str, body: impl FnOnce() -> Bytes) {
        if let Some(stream) = self.bus.get(&self.operators)
            && stream.tell(Draft::new(event, Payload::Json(body()))).is_err()
        {
            self.counters.unnoticed.add(1);
        }
    }
}

/// The topic that tells operators of matches.
pub(super) fn operators() -> TopicName {
    "operator:matchmaking".parse().expect("invariant: the topic's name is a good one")
}

fn topic_of(user: &ParticipantId) -> Option<TopicName> {
    format!("user:{user}").parse().ok()
}

/// What consists of names and numbers can be written.
fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}
