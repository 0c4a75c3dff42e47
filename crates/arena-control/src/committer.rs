//! Group commit: orders that arrive at the same time share a transaction, each with an outcome of its own.

use crate::error::ServiceError;
use arena_core::admission::{AdmitError, Applied};
use arena_store::{Order, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// Orders in one transaction. Larger batches gain little and make everybody in them wait.
const BATCH: usize = 256;

/// An order and who waits for its outcome.
struct Waiting {
    order: Order,
    reply: oneshot::Sender<Result<Applied, ServiceError>>,
}

/// Where orders are handed in. The queue is bounded; one order more is refused as overload.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Waiting>,
}

/// The other end: carries orders out, in the order in which they came.
pub(crate) struct CommitLoop {
    store: Store,
    queue: mpsc::Receiver<Waiting>,
}

/// A committer whose queue holds `capacity` orders, and the loop that serves it.
pub(crate) fn committer(store: Store, capacity: usize) -> (Committer, CommitLoop) {
    let (sender, queue) = mpsc::channel(capacity.max(1));
    (Committer { queue: sender }, CommitLoop { store, queue })
}

impl Committer {
    /// Carries out an order; returns after it is durable.
    pub(crate) async fn carry_out(&self, order: Order) -> Result<Applied, ServiceError> {
        let (reply, outcome) = oneshot::channel();
        self.queue.try_send(Waiting { order, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ServiceError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ServiceError::ShuttingDown,
        })?;
        outcome.await.map_err(|_| ServiceError::ShuttingDown)?
    }
}

impl CommitLoop {
    /// Runs until every committer is dropped; what was handed in by then is carried out.
    pub(crate) async fn run(mut self) {
        let mut waiting = Vec::with_capacity(BATCH);
        while self.queue.recv_many(&mut waiting, BATCH).await > 0 {
            let mut rest = waiting.drain(..).peekable();
            while let Some(first) = rest.next() {
                let mut batch = vec![first];
                while batch[0].order.op.is_batchable()
                    && let Some(next) = rest.next_if(|next| next.order.op.is_batchable())
                {
                    batch.push(next);
                }
                commit(&self.store, batch).await;
            }
        }
    }
}

async fn commit(store: &Store, batch: Vec<Waiting>) {
    let (orders, replies): (Vec<Order>, Vec<_>) = batch.into_iter().map(|w| (w.order, w.reply)).unzip();
    let outcomes = match store.carry_out_all(&orders).await {
        Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.map_err(ServiceError::from)).collect(),
        // Somebody went around the rules and one order in the batch met the database's own limit: find out which.
        Err(StoreError::Overfull) if orders.len() > 1 => one_by_one(store, &orders).await,
        Err(error) => vec![Err(ServiceError::Store(error)); orders.len()],
    };
    for (reply, outcome) in replies.into_iter().zip(outcomes) {
        // Whoever no longer waits will see it in the store.
        let _ = reply.send(outcome);
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
