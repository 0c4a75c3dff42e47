//! The calls about queues.

use super::Matchmaking;
use super::clock::ago;
use super::error::MatchError;
use super::service::Inner;
use super::view::QueueView;
use crate::error::ServiceError;
use arena_core::matching::{Outcome, QueueName, Rules};
use arena_store::{Actor, QueueRow, WaitStats, now};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What became of tickets is told for so long, in milliseconds: an hour.
const TOLD_MS: u64 = 3_600_000;

/// For how long that is not counted again: it takes reading up to 40,000 rows.
const FRESH: Duration = Duration::from_secs(1);

/// What became of tickets of queues, as it was counted a moment ago. Bounded by the number of queues: what is older goes
/// when another is added.
#[derive(Debug, Default)]
pub(super) struct Lately {
    waits: Mutex<HashMap<QueueName, (Instant, WaitStats)>>,
}

impl Lately {
    fn get(&self, queue: &QueueName) -> Option<WaitStats> {
        self.lock().get(queue).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, waits)| *waits)
    }

    fn keep(&self, queue: QueueName, waits: WaitStats) {
        let mut all = self.lock();
        all.retain(|_, (at, _)| at.elapsed() < FRESH);
        all.insert(queue, (Instant::now(), waits));
    }

    fn forget(&self, queue: &QueueName) {
        self.lock().remove(queue);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<QueueName, (Instant, WaitStats)>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Matchmaking {
    /// All queues, by name, with what is in them.
    pub async fn queues(&self) -> Result<Vec<QueueView>, ServiceError> {
        let mut views = Vec::new();
        for row in self.inner.store.match_queues().await? {
            views.push(self.inner.queue_view(row).await?);
        }
        Ok(views)
    }

    /// A queue, with what is in it.
    pub async fn queue(&self, name: &QueueName) -> Result<QueueView, ServiceError> {
        let row = self.inner.store.match_queue(name).await?;
        self.inner.queue_view(row.ok_or_else(|| MatchError::QueueNotFound(name.clone()))?).await
    }

    /// Makes a queue, or gives it other rules.
    pub async fn put_queue(
        &self,
        actor: &Actor,
        name: &QueueName,
        rules: Rules,
    ) -> Result<QueueRow, ServiceError> {
        let inner = &self.inner;
        rules.check().map_err(|error| MatchError::InvalidRules(error.to_string()))?;
        if let Outcome::Talk(setup) = &rules.outcome {
            inner.conversations.check_moderation(setup.moderation.as_ref())?;
        }
        let row = inner.store.put_match_queue(name, &rules, false).await?;
        inner.known.changed(&row);
        inner.nudges.nudge(name);
        let detail = serde_json::json!({ "queue": name, "version": row.version, "rules": rules });
        inner.note(actor, "match.queue_set", detail).await?;
        Ok(row)
    }

    /// Deletes a queue. Its waiting tickets end; matches that are made go on.
    pub async fn delete_queue(&self, actor: &Actor, name: &QueueName) -> Result<(), ServiceError> {
        let inner = &self.inner;
        let ended = inner.store.delete_match_queue(name).await?;
        let ended = ended.ok_or_else(|| MatchError::QueueNotFound(name.clone()))?;
        inner.known.forget(name);
        inner.lately.forget(name);
        let detail = serde_json::json!({ "queue": name, "tickets": ended.len() });
        inner.changed_unseen(ended);
        inner.note(actor, "match.queue_deleted", detail).await
    }
}

impl Inner {
    async fn queue_view(&self, queue: QueueRow) -> Result<QueueView, ServiceError> {
        let counts = self.store.queue_counts(&queue.name).await?;
        let waits = match self.lately.get(&queue.name) {
            Some(waits) => waits,
            None => {
                let waits = self.store.wait_stats(&queue.name, ago(now(), TOLD_MS)).await?;
                self.lately.keep(queue.name.clone(), waits);
                waits
            }
        };
        Ok(QueueView { queue, counts, waits })
    }
}
