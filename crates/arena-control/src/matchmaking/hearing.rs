//! Since when users could be heard: nobody is called silent or away for the time of an outage.

use super::clock::ago;
use arena_core::Timestamp;
use arena_store::now;
use std::sync::atomic::{AtomicI64, Ordering};

/// Since when this process has run and the store has answered without a break.
#[derive(Debug)]
pub(super) struct Hearing {
    since: AtomicI64,
}

impl Hearing {
    /// From now on.
    pub(super) fn new() -> Hearing {
        Hearing { since: AtomicI64::new(now().0) }
    }

    /// The store did not answer: what users said meanwhile may not have been noted.
    pub(super) fn lost(&self) {
        self.since.store(now().0, Ordering::Relaxed);
    }

    /// Since when.
    pub(super) fn since(&self) -> Timestamp {
        Timestamp(self.since.load(Ordering::Relaxed))
    }

    /// The time so many milliseconds ago, if users could be heard ever since; the beginning of time if not, before which
    /// nobody has fallen silent.
    pub(super) fn ago(&self, ms: u64, now: Timestamp) -> Timestamp {
        let before = ago(now, ms);
        if self.since() <= before { before } else { Timestamp(i64::MIN) }
    }
}
