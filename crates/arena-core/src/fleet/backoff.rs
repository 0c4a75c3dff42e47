//! How long something waits after it failed, and when its failures are forgotten.

use crate::retry::RetryPolicy;
use std::time::Duration;

/// The longest wait that an endpoint may ask for; one that asks for a year is mistaken.
pub const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

/// What a failure says about the next attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failure {
    /// What the endpoint asked to wait.
    pub retry_after: Option<Duration>,
    /// It brings the end nearer. That of somebody who was only asked to be slower, or who found an endpoint that is
    /// dead for all, does not.
    pub counts: bool,
}

/// The failures in a row of one thing, a channel or a bot.
#[derive(Debug, Clone)]
pub struct Backoff {
    policy: RetryPolicy,
    stable_after: Duration,
    /// Failures that count, in a row.
    failures: u32,
    /// All failures in a row; delays grow with them.
    tries: u32,
    working_since: Option<Duration>,
}

impl Backoff {
    /// Without failures. They are forgotten once it has worked for `stable_after`.
    pub fn new(policy: RetryPolicy, stable_after: Duration) -> Backoff {
        Backoff { policy, stable_after, failures: 0, tries: 0, working_since: None }
    }

    /// It works from now on.
    pub fn works(&mut self, now: Duration) {
        self.working_since = Some(now);
    }

    /// It failed. Returns how long to wait, at least what the endpoint asked for, or `None` after the last attempt.
    /// `unit` is a random number in 0..1: those who are asked to wait equally long come back at different times.
    pub fn failed(&mut self, failure: Failure, now: Duration, unit: f64) -> Option<Duration> {
        if self.is_stable(now) {
            (self.failures, self.tries) = (0, 0);
        }
        self.working_since = None;
        self.tries = self.tries.saturating_add(1);
        if failure.counts {
            self.failures = self.failures.saturating_add(1);
        }
        if self.failures >= self.policy.max_attempts {
            return None;
        }
        let delay = growing(&self.policy, self.tries, unit);
        let asked = failure
            .retry_after
            .map(|asked| asked.min(LONGEST_ASKED).mul_f64(1.0 + self.policy.jitter * unit.clamp(0.0, 1.0)));
        Some(asked.map_or(delay, |asked| asked.max(delay)))
    }

    /// Failures in a row, as of now.
    pub fn attempts(&self, now: Duration) -> u32 {
        if self.is_stable(now) { 0 } else { self.tries }
    }

    fn is_stable(&self, now: Duration) -> bool {
        self.working_since.is_some_and(|since| now.saturating_sub(since) >= self.stable_after)
    }
}

/// The delay after failure number `tries`; it stays the longest however often something fails.
pub(super) fn growing(policy: &RetryPolicy, tries: u32, unit: f64) -> Duration {
    let endless = RetryPolicy { max_attempts: u32::MAX, ..*policy };
    endless.delay_after(tries.min(u32::MAX - 1), unit).unwrap_or(policy.cap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const COUNTED: Failure = Failure { retry_after: None, counts: true };

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn backoff() -> Backoff {
        Backoff::new(RetryPolicy::default(), MINUTE)
    }

    #[test]
    fn delays_grow_and_the_tenth_failure_is_the_last() {
        let mut backoff = backoff();
        let delays: Vec<_> = (0..10).map(|_| backoff.failed(COUNTED, secs(0), 0.0)).collect();
        let expected = [2, 4, 8, 16, 30, 30, 30, 30, 30].map(|n| Some(secs(n)));
        assert_eq!(delays[..9], expected);
        assert_eq!(delays[9], None);
    }

    #[test]
    fn failures_are_forgotten_after_a_stable_minute_and_not_before() {
        let mut backoff = backoff();
        for _ in 0..3 {
            backoff.failed(COUNTED, secs(0), 0.0);
        }
        backoff.works(secs(10));
        assert_eq!(backoff.attempts(secs(69)), 3);
        assert_eq!(backoff.failed(COUNTED, secs(69), 0.0), Some(secs(16)));
        backoff.works(secs(100));
        assert_eq!(backoff.attempts(secs(160)), 0);
        assert_eq!(backoff.failed(COUNTED, secs(160), 0.0), Some(secs(2)));
    }

    #[test]
    fn who_is_asked_to_be_slower_never_dies_of_it() {
        let mut backoff = backoff();
        let slower = Failure { retry_after: Some(secs(40)), counts: false };
        for _ in 0..1_000 {
            assert_eq!(backoff.failed(slower, secs(0), 0.0), Some(secs(40)));
        }
        assert_eq!(backoff.failed(COUNTED, secs(0), 0.0), Some(secs(30)));
    }

    #[test]
    fn an_absurd_wish_is_cut_to_an_hour() {
        let failure = Failure { retry_after: Some(Duration::MAX), counts: true };
        assert_eq!(backoff().failed(failure, secs(0), 0.0), Some(LONGEST_ASKED));
    }

    proptest! {
        #[test]
        fn a_delay_is_never_shorter_than_what_was_asked_for(
            asked in 0u64..7_200, fails in 1usize..9, unit in 0.0f64..1.0,
        ) {
            let mut backoff = backoff();
            let failure = Failure { retry_after: Some(secs(asked)), counts: true };
            for _ in 0..fails {
                let delay = backoff.failed(failure, secs(0), unit).unwrap();
                prop_assert!(delay >= secs(asked).min(LONGEST_ASKED));
                prop_assert!(delay >= secs(2).mul_f64(0.699));
            }
        }
    }
}
