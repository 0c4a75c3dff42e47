//! Who may try an endpoint that seems dead: one, and not all.

use super::backoff::growing;
use crate::retry::RetryPolicy;
use std::time::Duration;

/// What a breaker knows of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It works, as far as is known.
    Closed,
    /// It is left alone for a while.
    Open {
        /// When one may try.
        until: Duration,
    },
    /// One tries; all others wait for what it finds.
    Probing,
}

/// Whether one may try now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Yes.
    Go,
    /// Yes, and nobody else until it is known how it went.
    Probe,
    /// Not before this time.
    Wait {
        /// The time.
        until: Duration,
    },
    /// Not before it is known what the one who tries finds.
    WaitForProbe,
}

/// The circuit breaker of one endpoint. After so many failures in a row it opens, lets one probe through after a delay,
/// and, while probes fail, another one after ever longer delays up to the policy's cap. It never gives up.
#[derive(Debug, Clone)]
pub struct Breaker {
    policy: RetryPolicy,
    threshold: u32,
    failures: u32,
    /// How often it has opened since the endpoint last worked; delays grow with it.
    opened: u32,
    state: BreakerState,
}

impl Breaker {
    /// Closed. `threshold` failures in a row (at least one) open it; delays are those of `policy`.
    pub fn new(policy: RetryPolicy, threshold: u32) -> Breaker {
        Breaker { policy, threshold: threshold.max(1), failures: 0, opened: 0, state: BreakerState::Closed }
    }

    /// What it knows.
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// Asks for a turn. Who gets [`Turn::Probe`] has to tell what came of it: [`Breaker::succeeded`],
    /// [`Breaker::failed`] or [`Breaker::abandoned`].
    pub fn turn(&mut self, now: Duration) -> Turn {
        match self.state {
            BreakerState::Closed => Turn::Go,
            BreakerState::Open { until } if now < until => Turn::Wait { until },
            BreakerState::Open { .. } => {
                self.state = BreakerState::Probing;
                Turn::Probe
            }
            BreakerState::Probing => Turn::WaitForProbe,
        }
    }

    /// The endpoint answered, whoever asked it.
    pub fn succeeded(&mut self) {
        (self.failures, self.opened) = (0, 0);
        self.state = BreakerState::Closed;
    }

    /// An attempt failed; `probe` says that it was the probe. `unit` is a random number in 0..1. Attempts that began
    /// before it opened change nothing any more.
    pub fn failed(&mut self, probe: bool, now: Duration, unit: f64) {
        let opens = match self.state {
            BreakerState::Closed => {
                self.failures = self.failures.saturating_add(1);
                self.failures >= self.threshold
            }
            BreakerState::Probing => probe,
            BreakerState::Open { .. } => false,
        };
        if opens {
            self.open(now, unit);
        }
    }

    /// Whoever counts failures of another kind has seen enough of them. One that is not closed stays as it is.
    pub fn trip(&mut self, now: Duration, unit: f64) {
        if self.state == BreakerState::Closed {
            self.open(now, unit);
        }
    }

    fn open(&mut self, now: Duration, unit: f64) {
        self.opened = self.opened.saturating_add(1);
        self.state = BreakerState::Open { until: now + growing(&self.policy, self.opened, unit) };
    }

    /// The probe was given up before it found anything: the next one may try at once.
    pub fn abandoned(&mut self, now: Duration) {
        if self.state == BreakerState::Probing {
            self.state = BreakerState::Open { until: now };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn open() -> Breaker {
        let mut breaker = Breaker::new(RetryPolicy::default(), 3);
        for _ in 0..3 {
            assert_eq!(breaker.turn(secs(0)), Turn::Go);
            breaker.failed(false, secs(0), 0.0);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_success_between_them_does_not() {
        let mut breaker = Breaker::new(RetryPolicy::default(), 3);
        for _ in 0..10 {
            breaker.failed(false, secs(0), 0.0);
            breaker.failed(false, secs(0), 0.0);
            breaker.succeeded();
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(open().state(), BreakerState::Open { until: secs(2) });
    }

    #[test]
    fn one_probes_and_the_others_wait_for_it() {
        let mut breaker = open();
        assert_eq!(breaker.turn(secs(1)), Turn::Wait { until: secs(2) });
        assert_eq!(breaker.turn(secs(2)), Turn::Probe);
        assert_eq!(breaker.turn(secs(2)), Turn::WaitForProbe);
        breaker.failed(false, secs(3), 0.0);
        assert_eq!(breaker.turn(secs(3)), Turn::WaitForProbe);
        breaker.succeeded();
        assert_eq!(breaker.turn(secs(3)), Turn::Go);
    }

    #[test]
    fn probes_that_fail_are_ever_rarer_up_to_the_cap_and_never_end() {
        let mut breaker = open();
        let mut now = secs(0);
        let mut gaps = Vec::new();
        for _ in 0..40 {
            let BreakerState::Open { until } = breaker.state() else { panic!("open") };
            gaps.push((until - now).as_secs());
            now = until;
            assert_eq!(breaker.turn(now), Turn::Probe);
            breaker.failed(true, now, 0.0);
        }
        assert_eq!(gaps[..5], [2, 4, 8, 16, 30]);
        assert!(gaps[5..].iter().all(|gap| *gap == 30));
    }

    #[test]
    fn late_failures_of_attempts_from_before_do_not_prolong_it() {
        let mut breaker = open();
        breaker.failed(false, secs(1), 0.0);
        assert_eq!(breaker.state(), BreakerState::Open { until: secs(2) });
    }

    #[test]
    fn a_probe_that_is_given_up_makes_room_for_the_next() {
        let mut breaker = open();
        assert_eq!(breaker.turn(secs(2)), Turn::Probe);
        breaker.abandoned(secs(5));
        assert_eq!(breaker.turn(secs(5)), Turn::Probe);
    }

    #[test]
    fn whoever_trips_it_leaves_an_open_one_as_it_is() {
        let mut breaker = Breaker::new(RetryPolicy::default(), 3);
        breaker.trip(secs(0), 0.0);
        breaker.trip(secs(1), 0.0);
        assert_eq!(breaker.state(), BreakerState::Open { until: secs(2) });
        assert_eq!(breaker.turn(secs(2)), Turn::Probe);
        breaker.trip(secs(2), 0.0);
        assert_eq!(breaker.state(), BreakerState::Probing);
    }

    proptest! {
        /// Whatever happens in whatever order, there is never a second probe before the first one has told, and never a
        /// state that nobody gets out of.
        #[test]
        fn there_is_one_probe_at_most(steps in proptest::collection::vec((0u8..4, 0u64..40), 1..200)) {
            let mut breaker = Breaker::new(RetryPolicy::default(), 2);
            let (mut now, mut probing) = (secs(0), false);
            for (step, later) in steps {
                now += secs(later);
                match step {
                    0 => match breaker.turn(now) {
                        Turn::Probe => { prop_assert!(!probing); probing = true; }
                        Turn::WaitForProbe => prop_assert!(probing),
                        Turn::Wait { until } => prop_assert!(until > now && until <= now + secs(30)),
                        Turn::Go => {}
                    },
                    1 => { breaker.succeeded(); probing = false; }
                    2 => { breaker.failed(probing, now, 0.5); probing = false; }
                    _ => { breaker.abandoned(now); probing = false; }
                }
            }
        }
    }
}
