//! Since when users could be heard: nobody is called silent or away for the time of an outage.

use super::clock::{ago, millis};
use super::service::Inner;
use arena_core::Timestamp;
use arena_store::now;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the store is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// After so long without an answer, users could not be heard: the store was away, or this process stood still.
const LAPSE: Duration = Duration::from_secs(2);

/// Since when this process has run and the store has answered without a break.
#[derive(Debug)]
pub(super) struct Hearing {
    since: AtomicI64,
    answered: AtomicI64,
}

impl Hearing {
    /// From now on.
    pub(super) fn new() -> Hearing {
        let now = now().0;
        Hearing { since: AtomicI64::new(now), answered: AtomicI64::new(now) }
    }

    /// The store did not answer: what users said meanwhile may not have been noted.
    pub(super) fn lost(&self) {
        self.since.store(now().0, Ordering::Release);
    }

    /// The store has answered.
    fn answered(&self, now: Timestamp) {
        if self.has_lapsed(now) {
            self.since.store(now.0, Ordering::Release);
        }
        self.answered.store(now.0, Ordering::Release);
    }

    fn has_lapsed(&self, now: Timestamp) -> bool {
        now.since(Timestamp(self.answered.load(Ordering::Acquire))) > LAPSE
    }

    /// Since when; not before now where nobody knows.
    pub(super) fn since(&self, now: Timestamp) -> Timestamp {
        if self.has_lapsed(now) { now } else { Timestamp(self.since.load(Ordering::Acquire)) }
    }

    /// The time so many milliseconds ago, if users could be heard ever since; the beginning of time if not, before which
    /// nobody has fallen silent.
    pub(super) fn ago(&self, ms: u64, now: Timestamp) -> Timestamp {
        let before = ago(now, ms);
        if self.since(now) <= before { before } else { Timestamp(i64::MIN) }
    }
}

/// Asks the store whether it is there, until it is told to stop.
pub(super) async fn run(inner: Arc<Inner>, stop: CancellationToken) {
    let mut every = interval(ASK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        match inner.store.ping().await {
            Ok(()) => inner.hearing.answered(now()),
            Err(error) => {
                inner.hearing.lost();
                let lapse_ms = millis(LAPSE);
                tracing::debug!(%error, lapse_ms, "the store does not answer; nobody is called silent for it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(since: i64, answered: i64) -> Hearing {
        Hearing { since: AtomicI64::new(since), answered: AtomicI64::new(answered) }
    }

    #[test]
    fn nobody_is_silent_for_longer_than_they_could_be_heard() {
        let hearing = at(10_000, 20_000);
        assert_eq!(hearing.ago(9_000, Timestamp(20_000)), Timestamp(11_000));
        assert_eq!(hearing.ago(10_001, Timestamp(20_000)), Timestamp(i64::MIN));
    }

    #[test]
    fn a_break_begins_the_count_anew_even_before_anybody_has_noticed_it() {
        let (hearing, after) = (at(0, 20_000), Timestamp(22_001));
        assert_eq!(hearing.ago(1_000, after), Timestamp(i64::MIN), "the store has not answered again yet");
        hearing.answered(after);
        assert_eq!(hearing.since(after), after);
        hearing.answered(Timestamp(23_000));
        assert_eq!(hearing.ago(999, Timestamp(23_000)), Timestamp(22_001));
        assert_eq!(hearing.ago(1_000, Timestamp(23_000)), Timestamp(i64::MIN));
    }
}
