//! Who may connect and join, and when: one at a time, in the order in which they came.
//!
//! Whoever is first waits for the bucket and the breaker; all others wait behind it. A waiter that is dropped costs
//! nothing: its place in the line goes, and so does its wait.

use crate::settings::PoolSettings;
use arena_core::fleet::{Breaker, BreakerState, Fault, FaultClass, TokenBucket, Turn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, sleep};

/// The gate of one endpoint.
#[derive(Debug)]
pub(crate) struct Gate {
    began: Instant,
    rules: Mutex<Rules>,
    /// The first in the line of those who want to connect holds it.
    connects: Semaphore,
    /// The same for joins.
    joins: Semaphore,
    /// A probe has found something, or was given up.
    probed: Notify,
    halted: watch::Sender<Option<Fault>>,
    refusals: watch::Sender<u64>,
}

#[derive(Debug)]
struct Rules {
    breaker: Breaker,
    connects: TokenBucket,
    joins: TokenBucket,
}

/// Leave to connect once. Whoever drops it without telling how it went has not tried.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    probe: bool,
    told: bool,
}

/// What one in the line does next.
enum Next {
    Go { probe: bool },
    Wait(Duration),
    WaitForProbe,
}

impl Gate {
    pub(crate) fn new(settings: &PoolSettings) -> Gate {
        let rules = Rules {
            breaker: Breaker::new(settings.retry, settings.breaker_failures),
            connects: TokenBucket::new(settings.connects_per_sec, settings.connects_burst),
            joins: TokenBucket::new(settings.joins_per_sec, settings.joins_burst),
        };
        Gate {
            began: Instant::now(),
            rules: Mutex::new(rules),
            connects: Semaphore::new(1),
            joins: Semaphore::new(1),
            probed: Notify::new(),
            halted: watch::Sender::new(None),
            refusals: watch::Sender::new(0),
        }
    }

    /// Waits until it is one's turn to connect.
    pub(crate) async fn connect(self: &Arc<Gate>) -> Permit {
        let _first = self.connects.acquire().await;
        loop {
            self.not_halted().await;
            // Listening begins before looking, so that nothing is missed in between.
            let probed = self.probed.notified();
            match self.next_connect() {
                Next::Go { probe } => return Permit { gate: Arc::clone(self), probe, told: false },
                Next::Wait(wait) => sleep(wait).await,
                Next::WaitForProbe => probed.await,
            }
        }
    }

    /// Waits until it is one's turn to join.
    pub(crate) async fn join(&self) {
        let _first = self.joins.acquire().await;
        loop {
            let taken = self.rules().joins.take(self.now());
            match taken {
                Ok(()) => return,
                Err(wait) => sleep(wait).await,
            }
        }
    }

    /// The endpoint wants less of everybody.
    pub(crate) fn slow_down(&self, fault: &Fault) {
        let now = self.now();
        let mut rules = self.rules();
        rules.connects.refused(fault.retry_after, now);
        rules.joins.refused(fault.retry_after, now);
        drop(rules);
        self.refusals.send_modify(|refusals| *refusals += 1);
    }

    pub(crate) fn halted(&self) -> Option<Fault> {
        self.halted.borrow().clone()
    }

    pub(crate) fn resume(&self) {
        self.halted.send_replace(None);
    }

    pub(crate) fn refusals(&self) -> watch::Receiver<u64> {
        self.refusals.subscribe()
    }

    pub(crate) fn breaker(&self) -> BreakerState {
        self.rules().breaker.state()
    }

    /// Connects and joins per second, at present.
    pub(crate) fn rates(&self) -> (f64, f64) {
        let (now, rules) = (self.now(), self.rules());
        (rules.connects.rate(now), rules.joins.rate(now))
    }

    /// Since it began: what a channel counts its failures by.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn not_halted(&self) {
        let mut halted = self.halted.subscribe();
        // It cannot be closed: the sender is in here.
        let _ = halted.wait_for(Option::is_none).await;
    }

    /// The breaker is asked last: a probe that then had to wait for a token would keep everybody waiting.
    fn next_connect(&self) -> Next {
        let now = self.now();
        let mut rules = self.rules();
        if let BreakerState::Open { until } = rules.breaker.state()
            && now < until
        {
            return Next::Wait(until - now);
        }
        if rules.breaker.state() == BreakerState::Probing {
            return Next::WaitForProbe;
        }
        if let Err(wait) = rules.connects.take(now) {
            return Next::Wait(wait);
        }
        match rules.breaker.turn(now) {
            Turn::Go => Next::Go { probe: false },
            Turn::Probe => Next::Go { probe: true },
            Turn::Wait { until } => Next::Wait(until.saturating_sub(now)),
            Turn::WaitForProbe => Next::WaitForProbe,
        }
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The endpoint let it in.
    pub(crate) fn succeeded(mut self) {
        self.told = true;
        self.gate.rules().breaker.succeeded();
        self.gate.probed.notify_waiters();
    }

    /// It did not. Returns whether that is a failure of those who wanted the connection: it is none where the endpoint is
    /// dead for all, or wants less of all, or knows none of us.
    pub(crate) fn failed(mut self, fault: &Fault) -> bool {
        self.told = true;
        let gate = Arc::clone(&self.gate);
        let counts = match fault.class {
            FaultClass::RateLimit => {
                gate.rules().breaker.succeeded();
                gate.slow_down(fault);
                false
            }
            FaultClass::Authentication | FaultClass::Permission | FaultClass::TenantMissing => {
                gate.rules().breaker.succeeded();
                gate.halted.send_replace(Some(fault.clone()));
                gate.refusals.send_modify(|refusals| *refusals += 1);
                false
            }
            FaultClass::Network | FaultClass::Timeout | FaultClass::Protocol => {
                let now = gate.now();
                let mut rules = gate.rules();
                rules.breaker.failed(self.probe, now, fastrand::f64());
                let is_closed = rules.breaker.state() == BreakerState::Closed;
                if let Some(pause) = fault.retry_after {
                    rules.connects.pause(pause, now);
                }
                drop(rules);
                gate.refusals.send_modify(|refusals| *refusals += 1);
                is_closed
            }
        };
        gate.probed.notify_waiters();
        counts
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.probe && !self.told {
            self.gate.rules().breaker.abandoned(self.gate.now());
            self.gate.probed.notify_waiters();
        }
    }
}
