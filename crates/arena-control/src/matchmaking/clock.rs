//! Reckoning with times.

use arena_core::Timestamp;
use std::time::Duration;

/// So many milliseconds before.
pub(super) fn ago(now: Timestamp, ms: u64) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX)))
}

/// So many milliseconds later.
pub(super) fn after(now: Timestamp, ms: u64) -> Timestamp {
    now.after(Duration::from_millis(ms))
}

/// A duration in milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
