//! How often something may be done; less often after a refusal.

use super::backoff::LONGEST_ASKED;
use std::time::Duration;

/// Refusals within this time are one: those of attempts that were under way together.
const ONE_REFUSAL: Duration = Duration::from_secs(1);
/// How long there has to be no refusal until it is faster again.
const QUIET: Duration = Duration::from_secs(10);
/// What share of the full rate comes back with each such time.
const RECOVERY: f64 = 0.125;
/// The least share of the full rate.
const LEAST: f64 = 1.0 / 64.0;

/// A token bucket whose rate is halved by refusals and comes back by itself: an eighth of the full rate with every ten
/// seconds without one.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    per_sec: f64,
    burst: f64,
    tokens: f64,
    counted_at: Duration,
    share: f64,
    /// Since when the share is what it is.
    share_since: Duration,
    refused_at: Option<Duration>,
    paused_until: Duration,
}

impl TokenBucket {
    /// Full. `per_sec` times a second, and `burst` times at once after a rest; both at least a little.
    pub fn new(per_sec: f64, burst: u32) -> TokenBucket {
        let burst = f64::from(burst.max(1));
        TokenBucket {
            per_sec: if per_sec.is_finite() { per_sec.max(0.01) } else { 0.01 },
            burst,
            tokens: burst,
            counted_at: Duration::ZERO,
            share: 1.0,
            share_since: Duration::ZERO,
            refused_at: None,
            paused_until: Duration::ZERO,
        }
    }

    /// Takes a token, or says how long there will be none. `now` never goes back.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        if let Some(pause) = self.paused_until.checked_sub(now).filter(|pause| !pause.is_zero()) {
            return Err(pause);
        }
        self.count(now);
        // What rounding has taken off a whole token must not cost another wait.
        if self.tokens > 1.0 - 1e-6 {
            self.tokens = (self.tokens - 1.0).max(0.0);
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.tokens) / self.rate(now)).max(Duration::from_millis(1)))
    }

    /// Somebody was refused: from now on it is half as often, and not at all for as long as the endpoint asked for.
    pub fn refused(&mut self, retry_after: Option<Duration>, now: Duration) {
        self.count(now);
        self.tokens = self.tokens.min(1.0);
        let is_new = self.refused_at.is_none_or(|at| now.saturating_sub(at) >= ONE_REFUSAL);
        if is_new {
            self.share = (self.share_at(now) / 2.0).max(LEAST);
            self.share_since = now;
            self.refused_at = Some(now);
        }
        if let Some(pause) = retry_after {
            self.pause(pause, now);
        }
    }

    /// Not at all for so long, an hour at most, and no slower afterwards.
    pub fn pause(&mut self, pause: Duration, now: Duration) {
        self.count(now);
        self.paused_until = self.paused_until.max(now + pause.min(LONGEST_ASKED));
    }

    /// How often it may be done now, per second.
    pub fn rate(&self, now: Duration) -> f64 {
        self.per_sec * self.share_at(now)
    }

    fn share_at(&self, now: Duration) -> f64 {
        let quiet = now.saturating_sub(self.share_since).as_secs_f64() / QUIET.as_secs_f64();
        (self.share + quiet.floor() * RECOVERY).min(1.0)
    }

    /// Adds the tokens since it was counted last. Time under a pause brings none.
    fn count(&mut self, now: Duration) {
        let from = self.counted_at.max(self.paused_until.min(now));
        let rest = now.saturating_sub(from);
        self.tokens = (self.tokens + rest.as_secs_f64() * self.rate(now)).min(self.burst);
        self.counted_at = self.counted_at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// How many are let through from `from` to `to` if somebody always wants one.
    fn through(bucket: &mut TokenBucket, from: Duration, to: Duration) -> u32 {
        let (mut now, mut taken) = (from, 0);
        while now < to {
            match bucket.take(now) {
                Ok(()) => taken += 1,
                Err(wait) => now += wait,
            }
        }
        taken
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut bucket = TokenBucket::new(50.0, 10);
        let taken = through(&mut bucket, secs(0), secs(10));
        assert!((508..=510).contains(&taken), "{taken}");
    }

    #[test]
    fn a_refusal_halves_the_rate_and_quiet_brings_it_back() {
        let mut bucket = TokenBucket::new(64.0, 1);
        bucket.refused(None, secs(0));
        bucket.refused(None, Duration::from_millis(900));
        assert_eq!(bucket.rate(secs(1)), 32.0);
        bucket.refused(None, secs(2));
        assert_eq!(bucket.rate(secs(2)), 16.0);
        assert_eq!(bucket.rate(secs(12)), 24.0);
        assert_eq!(bucket.rate(secs(500)), 64.0);
    }

    #[test]
    fn nobody_comes_through_while_the_endpoint_wants_none() {
        let mut bucket = TokenBucket::new(50.0, 10);
        bucket.refused(Some(secs(7)), secs(1));
        assert_eq!(bucket.take(secs(2)), Err(secs(6)));
        assert_eq!(through(&mut bucket, secs(2), secs(8)), 0);
        // The pause has not filled it up: there is no burst at its end.
        let after = through(&mut bucket, secs(8), secs(9));
        assert!((20..=27).contains(&after), "{after}");
    }

    #[test]
    fn a_pause_changes_no_rate() {
        let mut bucket = TokenBucket::new(50.0, 1);
        bucket.pause(secs(3), secs(1));
        bucket.pause(secs(1), secs(2));
        assert_eq!(bucket.take(secs(2)), Err(secs(2)));
        assert_eq!((bucket.take(secs(4)), bucket.rate(secs(4))), (Ok(()), 50.0));
    }

    #[test]
    fn a_pause_lasts_as_long_as_was_asked_and_an_hour_at_most() {
        for (asked, lasts) in [(1_800, 1_800), (3_600, 3_600), (86_400, 3_600)] {
            let mut bucket = TokenBucket::new(50.0, 1);
            bucket.refused(Some(secs(asked)), secs(0));
            assert_eq!(bucket.take(secs(lasts - 1)), Err(secs(1)));
            assert_eq!(bucket.take(secs(lasts)), Ok(()));
        }
    }

    proptest! {
        #[test]
        fn no_second_sees_more_than_the_rate_and_the_burst(
            refusals in proptest::collection::vec((0u64..60_000, proptest::option::of(0u64..5_000)), 0..20),
            per_sec in 1u32..200, burst in 1u32..50,
        ) {
            let mut bucket = TokenBucket::new(f64::from(per_sec), burst);
            let mut refusals = refusals;
            refusals.sort_unstable();
            let mut now = secs(0);
            for (at, pause) in refusals {
                let at = Duration::from_millis(at);
                let taken = through(&mut bucket, now, at);
                let most = f64::from(burst) + f64::from(per_sec) * (at.saturating_sub(now).as_secs_f64()) + 1.0;
                prop_assert!(f64::from(taken) <= most, "{} > {}", taken, most);
                now = now.max(at);
                bucket.refused(pause.map(Duration::from_millis), now);
            }
            prop_assert!(bucket.rate(now) >= f64::from(per_sec) * LEAST - 1e-9);
        }
    }
}
