//! Which queues have changed. A nudge carries nothing, so losing or doubling one does no harm.

use arena_core::matching::QueueName;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Bounded by the number of queues: only those that exist are nudged, and each is in it once.
#[derive(Debug, Default)]
pub(super) struct Nudges {
    queues: Mutex<BTreeSet<QueueName>>,
    woken: Notify,
}

impl Nudges {
    /// Asks for a look at a queue.
    pub(super) fn nudge(&self, queue: &QueueName) {
        let mut queues = self.lock();
        if !queues.contains(queue) {
            queues.insert(queue.clone());
        }
        drop(queues);
        self.woken.notify_one();
    }

    /// Waits until somebody asks.
    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Takes what was asked for.
    pub(super) fn take(&self) -> BTreeSet<QueueName> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<QueueName>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
