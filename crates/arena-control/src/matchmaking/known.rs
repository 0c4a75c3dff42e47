//! Queues as they were a moment ago: rules are asked for with every ticket and every match.

use super::error::MatchError;
use crate::error::ServiceError;
use arena_core::matching::{QueueName, Rules};
use arena_store::{QueueRow, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For how long a queue is taken from here: how late a change by another process may be seen.
const FRESH: Duration = Duration::from_secs(1);

/// Bounded by the number of queues: only those that exist are in it.
#[derive(Debug, Default)]
pub(super) struct Known {
    queues: Mutex<HashMap<QueueName, Entry>>,
}

#[derive(Debug)]
struct Entry {
    row: QueueRow,
    /// How many wait in it: as the store counted, and those that were added since.
    waiting: u64,
    read_at: Instant,
}

/// A queue, and how many tickets wait in it, about.
pub(super) struct Queue {
    pub(super) row: QueueRow,
    pub(super) waiting: u64,
}

impl Known {
    /// A queue. While one caller looks it up again, the others are given what was known.
    pub(super) async fn get(&self, store: &Store, name: &QueueName) -> Result<Queue, ServiceError> {
        if let Some(known) = self.fresh(name) {
            return Ok(known);
        }
        let Some(row) = store.match_queue(name).await? else {
            self.forget(name);
            return Err(MatchError::QueueNotFound(name.clone()).into());
        };
        let counts = store.queue_counts(name).await?;
        let waiting = counts.humans + counts.bots;
        self.lock().insert(name.clone(), Entry { row: row.clone(), waiting, read_at: Instant::now() });
        Ok(Queue { row, waiting })
    }

    /// The rules that matches of a queue end by; those of a queue that is gone are the usual ones.
    pub(super) async fn rules(&self, store: &Store, name: &QueueName) -> Result<Arc<Rules>, ServiceError> {
        match self.get(store, name).await {
            Ok(queue) => Ok(queue.row.rules),
            Err(ServiceError::Matching(MatchError::QueueNotFound(_))) => Ok(Arc::default()),
            Err(error) => Err(error),
        }
    }

    /// A queue has changed here.
    pub(super) fn changed(&self, row: &QueueRow) {
        if let Some(entry) = self.lock().get_mut(&row.name)
            && entry.row.version <= row.version
        {
            entry.row = row.clone();
        }
    }

    /// So many tickets were added.
    pub(super) fn added(&self, name: &QueueName, tickets: u64) {
        if let Some(entry) = self.lock().get_mut(name) {
            entry.waiting += tickets;
        }
    }

    /// A queue is gone.
    pub(super) fn forget(&self, name: &QueueName) {
        self.lock().remove(name);
    }

    fn fresh(&self, name: &QueueName) -> Option<Queue> {
        let mut queues = self.lock();
        let entry = queues.get_mut(name)?;
        if entry.read_at.elapsed() >= FRESH {
            // This caller looks; should that fail, the next moment's does.
            entry.read_at = Instant::now();
            return None;
        }
        Some(Queue { row: entry.row.clone(), waiting: entry.waiting })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<QueueName, Entry>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
