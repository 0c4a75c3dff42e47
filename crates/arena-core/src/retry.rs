//! When a failed deployment is tried again.

use std::time::Duration;

/// Exponential back-off with jitter that only ever shortens a delay, so the cap holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// Delay before the second attempt.
    pub base: Duration,
    /// What each further delay is multiplied by.
    pub factor: u32,
    /// The longest delay.
    pub cap: Duration,
    /// Attempts in all; after the last one the bot is failed.
    pub max_attempts: u32,
    /// Share of a delay that jitter may take off, 0 to 1.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    /// The defaults of the design: 2 s, doubled up to 30 s, 10 attempts, 30 % jitter.
    fn default() -> Self {
        RetryPolicy {
            base: Duration::from_secs(2),
            factor: 2,
            cap: Duration::from_secs(30),
            max_attempts: 10,
            jitter: 0.3,
        }
    }
}

impl RetryPolicy {
    /// The delay after failed attempt number `attempt` (1 is the first), or `None` when that was the last one.
    /// `unit` is a random number in 0..1 that the caller draws.
    pub fn delay_after(&self, attempt: u32, unit: f64) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        let growth = self.factor.saturating_pow(attempt.saturating_sub(1));
        let full = self.base.saturating_mul(growth).min(self.cap);
        Some(full.mul_f64(1.0 - self.jitter * unit.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_end_after_the_last_attempt() {
        let policy = RetryPolicy::default();
        let secs: Vec<u64> = (1..10).map(|n| policy.delay_after(n, 0.0).unwrap().as_secs()).collect();
        assert_eq!(secs, [2, 4, 8, 16, 30, 30, 30, 30, 30]);
        assert_eq!(policy.delay_after(10, 0.0), None);
        assert_eq!(policy.delay_after(u32::MAX, 0.5), None);
    }

    #[test]
    fn jitter_shortens_by_at_most_its_share() {
        let policy = RetryPolicy::default();
        for attempt in 1..10 {
            let full = policy.delay_after(attempt, 0.0).unwrap();
            let least = policy.delay_after(attempt, 1.0).unwrap();
            assert!(least < full && least >= full.mul_f64(0.699));
        }
    }
}
