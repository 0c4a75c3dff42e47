//! Whether the model may be asked now: the circuit breaker that all bots share.

use arena_core::RetryPolicy;
use arena_core::fleet::{Breaker, BreakerState, Fault, NextStep, Turn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The longest that one answer keeps all bots away; it is found out then whether the endpoint still wants that.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The breaker, with what the endpoint asked to wait.
#[derive(Debug)]
pub(super) struct Gate {
    started: Instant,
    cap: Duration,
    threshold: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    breaker: Breaker,
    /// The endpoint asked to be left alone until then, or refuses whatever is asked.
    not_before: Duration,
}

/// A turn at the model. Dropped without a word, nothing was found out.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    probe: bool,
    told: bool,
}

/// What the breaker is at, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The model is asked.
    Closed,
    /// It is left alone.
    Open,
    /// One bot tries it, or the next may.
    HalfOpen,
}

impl Standing {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Standing::Closed => "closed",
            Standing::Open => "open",
            Standing::HalfOpen => "half_open",
        }
    }
}

impl Gate {
    /// Opens after `threshold` failures in a row, for `delay.0` at first and `delay.1` at most.
    pub(super) fn new(threshold: u32, delay: (Duration, Duration)) -> Gate {
        let policy = RetryPolicy {
            base: delay.0,
            cap: delay.1.max(delay.0),
            max_attempts: u32::MAX,
            ..RetryPolicy::default()
        };
        let state = State { breaker: Breaker::new(policy, threshold), not_before: Duration::ZERO };
        Gate {
            started: Instant::now(),
            cap: policy.cap,
            threshold: threshold.max(1),
            state: Mutex::new(state),
        }
    }

    /// A turn, if the model may be asked now.
    pub(super) fn pass(self: &Arc<Gate>) -> Option<Pass> {
        let mut state = self.state();
        let now = self.started.elapsed();
        if now < state.not_before {
            return None;
        }
        let probe = match state.breaker.turn(now) {
            Turn::Go => false,
            Turn::Probe => true,
            Turn::Wait { .. } | Turn::WaitForProbe => return None,
        };
        Some(Pass { gate: Arc::clone(self), probe, told: false })
    }

    /// What it is at.
    pub(super) fn standing(&self) -> Standing {
        let state = self.state();
        let now = self.started.elapsed();
        match state.breaker.state() {
            _ if now < state.not_before => Standing::Open,
            BreakerState::Closed => Standing::Closed,
            BreakerState::Open { until } if now < until => Standing::Open,
            BreakerState::Open { .. } | BreakerState::Probing => Standing::HalfOpen,
        }
    }

    /// The endpoint asks all of us to wait so long; five minutes at most.
    pub(super) fn wait(&self, delay: Duration) {
        let mut state = self.state();
        state.not_before = state.not_before.max(self.started.elapsed() + delay.min(LONGEST_WAIT));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The model answered. Gives whether it had been left alone before.
    pub(super) fn succeeded(mut self) -> bool {
        self.told = true;
        let mut state = self.gate.state();
        let was = state.breaker.state();
        state.breaker.succeeded();
        was != BreakerState::Closed
    }

    /// It did not. Where trying again changes nothing, it is left alone at once, for as long as it ever is. Gives whether
    /// it is left alone from now on.
    pub(super) fn failed(mut self, fault: &Fault) -> bool {
        self.told = true;
        let mut state = self.gate.state();
        let now = self.gate.started.elapsed();
        let was = state.breaker.state();
        let hopeless = fault.class.next_step() == NextStep::Stop;
        for _ in 0..if hopeless { self.gate.threshold } else { 1 } {
            state.breaker.failed(self.probe, now, fastrand::f64());
        }
        if hopeless {
            state.not_before = state.not_before.max(now + self.gate.cap);
        }
        was == BreakerState::Closed && state.breaker.state() != BreakerState::Closed
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe && !self.told {
            let now = self.gate.started.elapsed();
            self.gate.state().breaker.abandoned(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_core::fleet::FaultClass;

    fn gate() -> Arc<Gate> {
        Arc::new(Gate::new(2, (Duration::from_secs(5), Duration::from_secs(60))))
    }

    fn fault(class: FaultClass) -> Fault {
        Fault::new(class, "x", "x")
    }

    #[tokio::test(start_paused = true)]
    async fn one_bot_tries_a_model_that_was_down_and_all_come_back_with_it() {
        let gate = gate();
        for _ in 0..2 {
            assert_eq!(gate.standing(), Standing::Closed);
            gate.pass().unwrap().failed(&fault(FaultClass::Network));
        }
        assert!(gate.pass().is_none());
        tokio::time::advance(Duration::from_secs(6)).await;
        let probe = gate.pass().unwrap();
        assert!(gate.pass().is_none());
        assert_eq!(gate.standing(), Standing::HalfOpen);
        // A bot that is sent away in the middle of it makes room for another one.
        drop(probe);
        assert!(gate.pass().unwrap().succeeded());
        assert_eq!(gate.standing(), Standing::Closed);
        assert!(gate.pass().is_some() && gate.pass().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_key_is_not_shown_again_for_the_longest_delay() {
        let gate = gate();
        assert!(gate.pass().unwrap().failed(&fault(FaultClass::Authentication)));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(gate.pass().is_none());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(gate.pass().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_endpoint_asks_to_wait_is_waited_by_all() {
        let gate = gate();
        gate.wait(Duration::from_secs(30));
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(gate.pass().is_none());
        assert_eq!(gate.standing(), Standing::Open);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(gate.pass().is_some());
        gate.wait(Duration::from_secs(86_400));
        tokio::time::advance(LONGEST_WAIT + Duration::from_secs(1)).await;
        assert!(gate.pass().is_some(), "nobody is away for a day on one word");
    }
}
