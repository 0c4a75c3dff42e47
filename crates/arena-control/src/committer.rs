//! Group commit: orders that arrive at the same time share a transaction, each with an outcome of its own.

use crate::error::ServiceError;
use crate::players::PlayerEvent;
use crate::sync::Nudges;
use arena_core::BotId;
use arena_core::admission::{AdmitError, Applied, Op};
use arena_core::bot::Bot;
use arena_store::{Order, Store, StoreError};
use std::collections::BTreeMap;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Orders in one transaction. Larger batches gain little and make everybody in them wait.
const BATCH: usize = 256;

/// What came of an order.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    /// What it did.
    pub(crate) applied: Applied,
    /// The bot of an order about a single one, as it was read after the commit, once for all orders in it.
    pub(crate) bot: Option<Bot>,
}

/// An order and who waits for its outcome.
struct Waiting {
    order: Order,
    reply: oneshot::Sender<Result<Done, ServiceError>>,
}

/// Where orders are handed in. The queue is bounded; one order more is refused as overload.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Waiting>,
}

/// The other end: carries orders out, in the order in which they came.
pub(crate) struct CommitLoop {
    store: Store,
    nudges: Nudges,
    events: broadcast::Sender<PlayerEvent>,
    queue: mpsc::Receiver<Waiting>,
}

/// A committer whose queue holds `capacity` orders, and the loop that serves it.
pub(crate) fn committer(
    store: Store,
    nudges: Nudges,
    events: broadcast::Sender<PlayerEvent>,
    capacity: usize,
) -> (Committer, CommitLoop) {
    let (sender, queue) = mpsc::channel(capacity.max(1));
    (Committer { queue: sender }, CommitLoop { store, nudges, events, queue })
}

impl Committer {
    /// Carries out an order; returns after it is durable and the syncs that it concerns are woken.
    pub(crate) async fn carry_out(&self, order: Order) -> Result<Done, ServiceError> {
        let (reply, outcome) = oneshot::channel();
        self.queue.try_send(Waiting { order, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ServiceError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ServiceError::ShuttingDown,
        })?;
        outcome.await.map_err(|_| {
            if self.queue.is_closed() {
                return ServiceError::ShuttingDown;
            }
            StoreError::Database("the transaction broke off; whether it took effect is not known".to_owned())
                .into()
        })?
    }
}

impl CommitLoop {
    /// Runs until it is told to stop. The transaction that is open then comes to its end; orders that still wait are
    /// not begun, and those who wait for them are told so.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut waiting = Vec::with_capacity(BATCH);
        while let Some(1..) = stop.run_until_cancelled(self.queue.recv_many(&mut waiting, BATCH)).await {
            let mut rest = waiting.drain(..).peekable();
            while let Some(first) = rest.next() {
                let mut batch = vec![first];
                while batch[0].order.op.is_batchable()
                    && let Some(next) = rest.next_if(|next| next.order.op.is_batchable())
                {
                    batch.push(next);
                }
                if !stop.is_cancelled() {
                    self.commit_apart(batch).await;
                }
            }
        }
    }

    /// Commits in a task of its own: a broken invariant must cost those in the batch their answers, not everybody
    /// the committer.
    async fn commit_apart(&self, batch: Vec<Waiting>) {
        let mut task = JoinSet::new();
        task.spawn(commit(self.store.clone(), self.nudges.clone(), self.events.clone(), batch));
        if let Some(Err(error)) = task.join_next().await {
            tracing::error!(%error, "a transaction of assignments ended abnormally");
        }
    }
}

async fn commit(store: Store, nudges: Nudges, events: broadcast::Sender<PlayerEvent>, batch: Vec<Waiting>) {
    let (orders, replies): (Vec<Order>, Vec<_>) = batch.into_iter().map(|w| (w.order, w.reply)).unzip();
    let outcomes: Vec<Result<Applied, ServiceError>> = match store.carry_out_all(&orders).await {
        Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.map_err(ServiceError::from)).collect(),
        // Somebody went around the rules and one order in the batch met the database's own limit: find out which.
        Err(StoreError::Overfull) if orders.len() > 1 => one_by_one(&store, &orders).await,
        Err(error) => vec![Err(ServiceError::Store(error)); orders.len()],
    };
    // Here and not by those who asked: they may have gone away.
    nudges.nudge(outcomes.iter().flatten().flat_map(Applied::touched));
    for (player, holder) in outcomes.iter().flatten().flat_map(|applied| applied.unseated.iter().copied()) {
        // Nobody may be listening.
        let _ = events.send(PlayerEvent::Lost { player, holder });
    }
    let bots = read_back(&store, &orders, &outcomes).await;
    for ((reply, outcome), order) in replies.into_iter().zip(outcomes).zip(&orders) {
        let bot = single_bot(&order.op).and_then(|bot| bots.get(&bot).cloned());
        // Whoever no longer waits will see it in the store.
        let _ = reply.send(outcome.map(|applied| Done { applied, bot }));
    }
}

/// The bots of the orders that were carried out, in one read: those who wait want to see them, and a read each would
/// cost more than the transaction. If it fails they ask for themselves.
async fn read_back(
    store: &Store,
    orders: &[Order],
    outcomes: &[Result<Applied, ServiceError>],
) -> BTreeMap<BotId, Bot> {
    let done = orders.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok());
    let ids: Vec<BotId> = done.filter_map(|(order, _)| single_bot(&order.op)).collect();
    if ids.is_empty() { BTreeMap::new() } else { store.bots_by_id(&ids).await.unwrap_or_default() }
}

/// The bot that an operation is about, if it is about a single one.
fn single_bot(op: &Op) -> Option<BotId> {
    match op {
        Op::Assign { bot, .. } | Op::Place { bot } | Op::Adopt { bot } | Op::Remove { bot, .. } => Some(*bot),
        _ => None,
    }
}

async fn one_by_one(store: &Store, orders: &[Order]) -> Vec<Result<Applied, ServiceError>> {
    let mut outcomes = Vec::with_capacity(orders.len());
    for order in orders {
        let outcome: Result<Result<Applied, AdmitError>, StoreError> =
            store.carry_out_all(std::slice::from_ref(order)).await.map(|mut all| all.remove(0));
        outcomes.push(match outcome {
            Ok(outcome) => outcome.map_err(ServiceError::from),
            Err(error) => Err(ServiceError::Store(error)),
        });
    }
    outcomes
}
