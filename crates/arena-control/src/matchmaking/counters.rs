//! What the matchmaker of this process has done, counted.

use super::view::MatchmakingStats;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters; each rises only, but for the two of the last look at a queue.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) tickets: Count,
    pub(super) proposed: Count,
    pub(super) confirmed: Count,
    pub(super) failed: Count,
    pub(super) over: Count,
    pub(super) lost: Count,
    pub(super) unnoticed: Count,
    tick_us: AtomicU64,
    tick_tickets: AtomicU64,
}

/// One of them.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// A queue was looked at.
    pub(super) fn looked(&self, took: std::time::Duration, tickets: usize) {
        self.tick_us.store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.tick_tickets.store(tickets as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> MatchmakingStats {
        MatchmakingStats {
            tickets: self.tickets.read(),
            proposed: self.proposed.read(),
            confirmed: self.confirmed.read(),
            failed: self.failed.read(),
            over: self.over.read(),
            lost: self.lost.read(),
            unnoticed: self.unnoticed.read(),
            tick_us: self.tick_us.load(Ordering::Relaxed),
            tick_tickets: self.tick_tickets.load(Ordering::Relaxed),
        }
    }
}
