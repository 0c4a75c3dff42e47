//! One look at a queue.

use super::drafting::Pattern;
use super::error::MatchError;
use super::service::Inner;
use crate::conversations::Keys;
use crate::error::ServiceError;
use arena_core::matching::{Avoid, Formed, Outcome, QueueName, Rules, Waiting, form};
use arena_store::{MatchDraft, QueueRow, StoreError, now};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// Matches in one transaction. Larger ones gain little, and claims are lost with the time that passes.
const BATCH: usize = 500;

/// From so many tickets on, putting them together takes long enough to be in the way of others on this thread.
const LARGE: usize = 500;

/// How long a look makes matches where another queue waits. What is left is put together anew with the next look.
const TURN: Duration = Duration::from_secs(1);

/// What a look came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looked {
    /// How many waited.
    pub(super) tickets: usize,
    /// Matches are left to be made: it was the turn of another queue.
    pub(super) cut: bool,
}

/// Why a look came to nothing.
#[derive(Debug)]
pub(super) enum TickError {
    /// The queue is gone.
    NoQueue,
    /// The rules, or a ticket, broke an invariant.
    Panicked,
    /// Something did not do its part.
    Failed(ServiceError),
}

impl<E: Into<ServiceError>> From<E> for TickError {
    fn from(error: E) -> TickError {
        match error.into() {
            ServiceError::Matching(MatchError::QueueNotFound(_)) => TickError::NoQueue,
            error => TickError::Failed(error),
        }
    }
}

/// Reads what waits in a queue and makes the matches that can be made; where `others` wait, as many as can be made in a
/// moment. `looks` rises from look to look.
pub(super) async fn look(
    inner: &Inner,
    keys: &mut Keys,
    name: &QueueName,
    looks: u64,
    others: bool,
    stop: &CancellationToken,
) -> Result<Looked, TickError> {
    let queue = inner.known.get(&inner.store, name).await?.row;
    let began = Instant::now();
    let waiting = inner.store.waiting(name).await?;
    let tickets = waiting.len();
    let mut cut = false;
    if tickets > 1 {
        let avoid = inner.store.avoided(name, now()).await?;
        let (waiting, formed) = put_together(&queue, waiting, avoid, looks).await?;
        let until = others.then(|| Instant::now() + TURN);
        cut = !make(inner, keys, &queue, &waiting, &formed, until, stop).await?;
    }
    inner.counters.looked(began.elapsed(), tickets);
    Ok(Looked { tickets, cut })
}

async fn put_together(
    queue: &QueueRow,
    waiting: Vec<Waiting>,
    avoid: Avoid,
    looks: u64,
) -> Result<(Vec<Waiting>, Vec<Formed>), TickError> {
    let rules = Arc::clone(&queue.rules);
    let large = waiting.len() >= LARGE;
    let put = move || form_unharmed(&rules, &waiting, &avoid, looks).map(|formed| (waiting, formed));
    let formed = if large { spawn_blocking(put).await.ok().flatten() } else { put() };
    formed.ok_or(TickError::Panicked)
}

/// `None` if it panics: that must not end the loop.
fn form_unharmed(rules: &Rules, waiting: &[Waiting], avoid: &Avoid, looks: u64) -> Option<Vec<Formed>> {
    catch_unwind(AssertUnwindSafe(|| form(rules, waiting, avoid, now(), looks))).ok()
}

/// Makes matches, until then if a time is given. Returns whether all were tried.
async fn make(
    inner: &Inner,
    keys: &mut Keys,
    queue: &QueueRow,
    waiting: &[Waiting],
    formed: &[Formed],
    until: Option<Instant>,
    stop: &CancellationToken,
) -> Result<bool, TickError> {
    let is_over = || stop.is_cancelled() || until.is_some_and(|until| Instant::now() >= until);
    match &queue.rules.outcome {
        Outcome::Talk(setup) => {
            let pattern = Pattern { queue: &queue.name, setup, confirm_ms: queue.rules.confirm_ms };
            for part in formed.chunks(BATCH) {
                if is_over() {
                    return Ok(false);
                }
                let now = now();
                let drafts = part.iter().map(|formed| pattern.draft(keys, waiting, formed, now));
                let drafts = drafts.collect::<Result<Vec<_>, _>>().map_err(ServiceError::from)?;
                inner.propose(keys, &queue.name, &drafts).await?;
            }
        }
        Outcome::Tournament { .. } => {
            for formed in formed {
                if is_over() {
                    return Ok(false);
                }
                if !inner.begin_tournament(queue, waiting, formed).await? {
                    inner.counters.lost.add(1);
                }
            }
        }
    }
    Ok(true)
}

impl Inner {
    /// Makes matches and tells their members.
    async fn propose(
        &self,
        keys: &mut Keys,
        queue: &QueueName,
        drafts: &[MatchDraft],
    ) -> Result<(), ServiceError> {
        let made = match self.store.make_matches(queue, drafts, now()).await {
            Ok(made) => made,
            Err(error) => {
                if matches!(error, StoreError::Taken(_)) {
                    keys.change_lane();
                }
                return Err(error.into());
            }
        };
        self.counters.proposed.add(made.len());
        self.counters.lost.add(drafts.len() - made.len());
        // Should this fail, they are told with those that are told again.
        for row in self.store.match_rows(&made).await? {
            self.changed_in(&row);
        }
        Ok(())
    }
}
