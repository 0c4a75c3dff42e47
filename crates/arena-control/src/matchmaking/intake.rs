//! Tickets that arrive at the same time are made in one transaction, each with an outcome of its own.

use super::error::MatchError;
use super::service::Inner;
use crate::error::ServiceError;
use arena_store::{NewTicket, Store, StoreError, TicketError, TicketRow, now};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Tickets in one transaction. Larger batches gain little and make everybody in them wait.
const BATCH: usize = 512;

/// A ticket that is to be made, and who waits for it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) ticket: NewTicket,
    pub(super) reply: oneshot::Sender<Result<TicketRow, ServiceError>>,
}

/// Where tickets are handed in. Bounded; one more is refused as overload.
#[derive(Debug, Clone)]
pub(super) struct Intake {
    queue: mpsc::Sender<Waiting>,
}

impl Intake {
    /// An intake for so many, and its other end.
    pub(super) fn new(capacity: usize) -> (Intake, mpsc::Receiver<Waiting>) {
        let (queue, tickets) = mpsc::channel(capacity.max(1));
        (Intake { queue }, tickets)
    }

    /// Makes a ticket; returns when it is durable.
    pub(super) async fn make(&self, ticket: NewTicket) -> Result<TicketRow, ServiceError> {
        let (reply, outcome) = oneshot::channel();
        self.queue.try_send(Waiting { ticket, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ServiceError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ServiceError::ShuttingDown,
        })?;
        outcome.await.map_err(|_| match self.queue.is_closed() {
            true => ServiceError::ShuttingDown,
            false => {
                StoreError::Database("the transaction broke off; whether it took effect is not known".into())
                    .into()
            }
        })?
    }
}

/// Runs until it is told to stop. The transaction that is open then comes to its end; those who still wait are told.
pub(super) async fn run(inner: Arc<Inner>, mut tickets: mpsc::Receiver<Waiting>, stop: CancellationToken) {
    let mut waiting = Vec::with_capacity(BATCH);
    while let Some(1..) = stop.run_until_cancelled(tickets.recv_many(&mut waiting, BATCH)).await {
        let (new, replies): (Vec<_>, Vec<_>) =
            std::mem::take(&mut waiting).into_iter().map(|waiting| (waiting.ticket, waiting.reply)).unzip();
        // In a task of its own: should it panic, it costs those in the batch their answers, not everybody the intake.
        let mut task = JoinSet::new();
        let making = Arc::clone(&inner);
        task.spawn(async move {
            let outcomes = making.make_tickets(&new).await;
            for (reply, outcome) in replies.into_iter().zip(outcomes) {
                // Whoever no longer waits finds it in the store.
                let _ = reply.send(outcome);
            }
        });
        if let Some(Err(error)) = task.join_next().await {
            tracing::error!(%error, "a transaction of tickets ended abnormally");
        }
    }
}

impl Inner {
    async fn make_tickets(&self, new: &[NewTicket]) -> Vec<Result<TicketRow, ServiceError>> {
        let now = now();
        let outcomes = match self.store.create_tickets(new, now).await {
            Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.map_err(refused)).collect(),
            Err(error) if new.len() == 1 || is_outage(&error) => vec![Err(error.into()); new.len()],
            // One of them may be what the store cannot take: the others need not suffer.
            Err(_) => one_by_one(&self.store, new).await,
        };
        let mut made = BTreeMap::new();
        for row in outcomes.iter().flatten().filter(|row: &&TicketRow| row.created_at >= now) {
            *made.entry(row.queue.clone()).or_insert(0) += 1;
            self.changed(row.id, row.wish.users());
        }
        for (queue, tickets) in made {
            self.known.added(&queue, tickets);
            self.counters.tickets.add(usize::try_from(tickets).unwrap_or(usize::MAX));
            self.nudges.nudge(&queue);
        }
        outcomes
    }
}

async fn one_by_one(store: &Store, new: &[NewTicket]) -> Vec<Result<TicketRow, ServiceError>> {
    let mut outcomes = Vec::with_capacity(new.len());
    for ticket in new {
        outcomes.push(match store.create_tickets(std::slice::from_ref(ticket), now()).await {
            Ok(mut outcome) => outcome.remove(0).map_err(refused),
            Err(error) => Err(error.into()),
        });
    }
    outcomes
}

fn is_outage(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_) | StoreError::Contended)
}

fn refused(error: TicketError) -> ServiceError {
    match error {
        TicketError::NoQueue(queue) => MatchError::QueueNotFound(queue).into(),
        TicketError::OnAnother { user, ticket } => MatchError::OnAnotherTicket { user, ticket }.into(),
        TicketError::IdTaken(id) => MatchError::TicketExists(id).into(),
        TicketError::Store(error) => error.into(),
    }
}
