//! A token bucket in eight bytes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// A point in time, in nanoseconds since its [`Clock`] was made: good for 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// This long after the clock was made.
    pub fn after(since: Duration) -> Moment {
        Moment(nanos(since))
    }

    /// This much later.
    pub fn plus(self, later: Duration) -> Moment {
        Moment(self.0.saturating_add(nanos(later)))
    }
}

/// Tells moments. All buckets that are used together take theirs from one clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Begins now.
    pub fn start() -> Clock {
        Clock { origin: Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Moment {
        Moment::after(self.origin.elapsed())
    }
}

/// How often something may happen, and how often at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    interval: u64,
    slack: u64,
}

impl Rate {
    /// As often as anybody likes.
    pub const UNLIMITED: Rate = Rate { interval: 0, slack: 0 };

    /// `per_second` times a second, and after a rest up to `burst` times at once (at least once). 0 a second is no
    /// limit.
    pub fn per_second(per_second: u32, burst: u32) -> Rate {
        match per_second {
            0 => Rate::UNLIMITED,
            // Rounded up, so that it is never more often than asked for.
            rate => {
                let interval = 1_000_000_000_u64.div_ceil(u64::from(rate));
                Rate { interval, slack: interval * u64::from(burst.saturating_sub(1)) }
            }
        }
    }
}

/// A token bucket by the generic cell rate algorithm (ITU-T I.371): its state is the moment at which it will be full
/// again. The rate is not part of it, since many buckets share one. Any number of threads may take from it.
#[derive(Debug, Default)]
pub struct Bucket {
    full_at: AtomicU64,
}

impl Bucket {
    /// Takes one, or says after which time to ask again.
    pub fn take(&self, rate: Rate, now: Moment) -> Result<(), Duration> {
        if rate == Rate::UNLIMITED {
            return Ok(());
        }
        // Nothing else depends on the state, so no ordering is needed beyond that of the state itself.
        let taken = self
            .full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| next(full_at, rate, now).ok());
        match taken {
            Ok(_) => Ok(()),
            Err(full_at) => next(full_at, rate, now).map(drop),
        }
    }
}

/// When the bucket will be full after taking one now, or how long to wait for it.
pub(super) fn next(full_at: u64, rate: Rate, now: Moment) -> Result<u64, Duration> {
    let from = full_at.max(now.0);
    match (from - now.0).checked_sub(rate.slack) {
        None | Some(0) => Ok(from.saturating_add(rate.interval)),
        Some(wait) => Err(Duration::from_nanos(wait)),
    }
}

/// Whether a bucket that is full at `full_at` is full now, and so the same as a new one.
pub(super) fn is_idle(full_at: u64, now: Moment) -> bool {
    full_at <= now.0
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
