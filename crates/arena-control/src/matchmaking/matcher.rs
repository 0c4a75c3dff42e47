//! The loop that puts tickets together: one for all queues.
//!
//! A queue is looked at soon after it has changed, and now and then where it has not, because patience grows by itself.
//! It then rests for three times as long as the look took: a queue never takes more than a quarter of the time. A look
//! that makes many matches is cut short where another queue waits.

use super::service::Inner;
use super::tick::{self, Looked, TickError};
use crate::conversations::Keys;
use arena_core::matching::QueueName;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// How much longer than a look a queue rests after it.
const REST: u32 = 3;

/// The longest rest of a large queue, and of one that is not: where few wait, a look is long only because the store was
/// away, and they have waited long enough.
const MAX_REST: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(500));

/// From so many tickets on a queue is large.
const LARGE: usize = 2_000;

/// How long a queue rests after its rules, or something in it, have broken an invariant.
const AFTER_PANIC: Duration = Duration::from_secs(10);

/// What the loop remembers of a queue.
#[derive(Debug)]
struct Pace {
    /// Looks so far.
    looks: u64,
    /// How many waited when it was looked at last.
    waiting: usize,
    rest_until: Instant,
}

struct Matcher {
    inner: Arc<Inner>,
    keys: Keys,
    /// Bounded by the number of queues: those that are gone are forgotten.
    paces: HashMap<QueueName, Pace>,
    /// Queues that are to be looked at.
    due: BTreeSet<QueueName>,
}

/// Puts tickets together until it is told to stop. The look that has begun then comes to its end.
pub(super) async fn run(inner: Arc<Inner>, stop: CancellationToken) {
    let mut every = interval(inner.settings.every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let gather = inner.settings.gather;
    let mut matcher = Matcher { inner, keys: Keys::new(), paces: HashMap::new(), due: BTreeSet::new() };
    while !stop.is_cancelled() {
        let rested = matcher.rested();
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = every.tick() => matcher.all_are_due().await,
            () = matcher.inner.nudges.woken() => {
                if stop.run_until_cancelled(sleep(gather)).await.is_none() {
                    return;
                }
            }
            () = sleep_until(rested.unwrap_or_else(Instant::now)), if rested.is_some() => {}
        }
        matcher.due.extend(matcher.inner.nudges.take());
        matcher.look(&stop).await;
    }
}

impl Matcher {
    /// When the first queue has rested that is to be looked at.
    fn rested(&self) -> Option<Instant> {
        self.due.iter().filter_map(|name| Some(self.paces.get(name)?.rest_until)).min()
    }

    /// Every queue is looked at, and those that are gone are forgotten.
    async fn all_are_due(&mut self) {
        match self.inner.store.match_queues().await {
            Ok(rows) => {
                rows.iter().for_each(|row| self.inner.known.changed(row));
                self.due = rows.into_iter().map(|row| row.name).collect();
                self.paces.retain(|name, _| self.due.contains(name));
            }
            Err(error) => tracing::warn!(%error, "the queues cannot be read; tried again soon"),
        }
    }

    /// Looks at those that are due and have rested.
    async fn look(&mut self, stop: &CancellationToken) {
        let now = Instant::now();
        let rests = |name: &QueueName| self.paces.get(name).is_some_and(|pace| pace.rest_until > now);
        let (resting, ready): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(&mut self.due).into_iter().partition(rests);
        self.due = resting;
        for name in ready {
            if stop.is_cancelled() {
                return;
            }
            let looks = self.paces.get(&name).map_or(0, |pace| pace.looks);
            let others = self.paces.iter().any(|(other, pace)| *other != name && pace.waiting > 1);
            let (began, mut waiting) = (Instant::now(), 0);
            let outcome = tick::look(&self.inner, &mut self.keys, &name, looks, others, stop).await;
            let rest = match outcome {
                Ok(Looked { tickets, cut }) => {
                    waiting = tickets;
                    if cut {
                        self.due.insert(name.clone());
                    }
                    let max = if tickets >= LARGE { MAX_REST.0 } else { MAX_REST.1 };
                    (began.elapsed() * REST).min(max)
                }
                Err(TickError::NoQueue) => {
                    self.paces.remove(&name);
                    continue;
                }
                Err(TickError::Panicked) => {
                    tracing::error!(queue = %name, "putting tickets together ended abnormally; the queue rests");
                    AFTER_PANIC
                }
                Err(TickError::Failed(error)) => {
                    // Nobody loses anything by it.
                    tracing::warn!(queue = %name, %error, "tickets could not be put together; tried again soon");
                    self.inner.settings.every
                }
            };
            self.paces.insert(name, Pace { looks: looks + 1, waiting, rest_until: Instant::now() + rest });
        }
    }
}
