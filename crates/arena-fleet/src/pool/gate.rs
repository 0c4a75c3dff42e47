//! Who may connect and join, and when: one at a time, in the order in which they came.
//!
//! Whoever is first waits for the bucket and the breaker; all others wait behind it. A waiter that is dropped costs
//! nothing: its place in the line goes, and so does its wait.
//!
//! An endpoint works if it answers joins. One that lets connections in and then says nothing is as dead as one that
//! nobody reaches, so the probe of a dead one is a join: on a connection that is there, or on one that is made for it.

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
    trouble: Trouble,
    /// The number of the last probe: what an older one tells is about another time.
    probe: u64,
    /// The probe has made its connection; the next join is the rest of it.
    offered: bool,
    threshold: u32,
}

/// Who had trouble above the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A channel, by its number, that wanted to join this topic.
    Channel(u64, Arc<str>),
    /// A connection, by its number, whose heartbeat was not answered.
    Connection(u64),
}

/// Failures above the handshake since a join was answered well.
#[derive(Debug, Default)]
struct Trouble {
    failures: u32,
    /// The first that failed; what is asked is only whether there was another, and of another topic.
    first: Option<Source>,
    of_several: bool,
    of_several_topics: bool,
}

impl Trouble {
    fn add(&mut self, source: Source) {
        self.failures = self.failures.saturating_add(1);
        match &self.first {
            None => self.first = Some(source),
            Some(first) => {
                self.of_several |= *first != source;
                self.of_several_topics |= match (first, &source) {
                    (Source::Channel(_, first), Source::Channel(_, topic)) => first != topic,
                    _ => *first != source,
                };
            }
        }
    }

    /// Whether it is the endpoint's: of several, and not of one topic while others are joined.
    fn is_everybodys(&self, threshold: u32, others_joined: bool) -> bool {
        self.failures >= threshold && self.of_several && (self.of_several_topics || !others_joined)
    }
}

/// Leave to connect once. Whoever drops it without telling how it went has not tried.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    /// The number of the probe that it is.
    probe: Option<u64>,
    told: bool,
}

/// Leave to join once. Whoever drops it without telling how it went has not tried.
#[derive(Debug)]
pub(crate) struct JoinPermit {
    gate: Arc<Gate>,
    probe: Option<u64>,
    told: bool,
}

/// What one in the line does next.
enum Next {
    Go { probe: Option<u64> },
    Wait(Duration),
    WaitForProbe,
}

impl Gate {
    pub(crate) fn new(settings: &PoolSettings) -> Gate {
        let rules = Rules {
            breaker: Breaker::new(settings.retry, settings.breaker_failures),
            connects: TokenBucket::new(settings.connects_per_sec, settings.connects_burst),
            joins: TokenBucket::new(settings.joins_per_sec, settings.joins_burst),
            trouble: Trouble::default(),
            probe: 0,
            offered: false,
            threshold: settings.breaker_failures.max(1),
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
    pub(crate) async fn join(self: &Arc<Gate>) -> JoinPermit {
        let _first = self.joins.acquire().await;
        loop {
            let probed = self.probed.notified();
            match self.next_join() {
                Next::Go { probe } => return JoinPermit { gate: Arc::clone(self), probe, told: false },
                Next::Wait(wait) => sleep(wait).await,
                Next::WaitForProbe => probed.await,
            }
        }
    }

    /// Something above the handshake failed. Returns whether that is a failure of those who wanted it: it is none where
    /// the endpoint fails for all. `others_joined` says whether channels of other topics are joined.
    pub(crate) fn trouble(&self, source: Source, others_joined: bool) -> bool {
        let now = self.now();
        let mut rules = self.rules();
        rules.trouble.add(source);
        if rules.trouble.is_everybodys(rules.threshold, others_joined) {
            rules.breaker.trip(now, fastrand::f64());
        }
        rules.breaker.state() == BreakerState::Closed
    }

    /// Whoever starts bots is slower from now on.
    pub(crate) fn count_refusal(&self) {
        self.refusals.send_modify(|refusals| *refusals += 1);
    }

    /// The endpoint wants less of everybody.
    pub(crate) fn slow_down(&self, fault: &Fault) {
        let now = self.now();
        let mut rules = self.rules();
        rules.connects.refused(fault.retry_after, now);
        rules.joins.refused(fault.retry_after, now);
        drop(rules);
        self.count_refusal();
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
        rules.turn(now)
    }

    /// As [`Gate::next_connect`], and where a probe has its connection, the first that joins goes on with it.
    fn next_join(&self) -> Next {
        let now = self.now();
        let mut rules = self.rules();
        match rules.breaker.state() {
            BreakerState::Open { until } if now < until => return Next::Wait(until - now),
            BreakerState::Probing if !rules.offered => return Next::WaitForProbe,
            _ => {}
        }
        if let Err(wait) = rules.joins.take(now) {
            return Next::Wait(wait);
        }
        if std::mem::take(&mut rules.offered) {
            return Next::Go { probe: Some(rules.probe) };
        }
        rules.turn(now)
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rules {
    fn turn(&mut self, now: Duration) -> Next {
        match self.breaker.turn(now) {
            Turn::Go => Next::Go { probe: None },
            Turn::Probe => {
                self.probe += 1;
                self.offered = false;
                Next::Go { probe: Some(self.probe) }
            }
            Turn::Wait { until } => Next::Wait(until.saturating_sub(now)),
            Turn::WaitForProbe => Next::WaitForProbe,
        }
    }

    /// The endpoint works, as far as anybody can tell.
    fn works(&mut self) {
        self.breaker.succeeded();
        self.trouble = Trouble::default();
        self.offered = false;
    }

    fn is_probe(&self, probe: Option<u64>) -> bool {
        probe == Some(self.probe) && self.breaker.state() == BreakerState::Probing
    }

    /// A probe told nothing: another one may try at once.
    fn abandoned(&mut self, probe: Option<u64>, now: Duration) {
        if self.is_probe(probe) {
            self.offered = false;
            self.breaker.abandoned(now);
        }
    }
}

impl Permit {
    /// The endpoint let it in. The probe has found something only when a join is answered: it waits for one for as long
    /// as what is returned is kept.
    pub(crate) fn succeeded(mut self) -> Option<Offer> {
        self.told = true;
        let mut rules = self.gate.rules();
        if rules.is_probe(self.probe) {
            rules.offered = true;
        } else if rules.breaker.state() == BreakerState::Closed {
            rules.breaker.succeeded();
        }
        let probe = self.probe.filter(|_| rules.offered);
        drop(rules);
        self.gate.probed.notify_waiters();
        probe.map(|probe| Offer { gate: Arc::clone(&self.gate), probe })
    }

    /// It was answered, and nothing is to be joined: the endpoint works.
    pub(crate) fn answered(mut self) {
        self.told = true;
        self.gate.rules().works();
        self.gate.probed.notify_waiters();
    }

    /// It did not. Returns whether that is a failure of those who wanted the connection: it is none where the endpoint is
    /// dead for all, or wants less of all, or knows none of us.
    pub(crate) fn failed(mut self, fault: &Fault) -> bool {
        self.told = true;
        let gate = Arc::clone(&self.gate);
        let counts = match fault.class {
            FaultClass::RateLimit => {
                gate.rules().works();
                gate.slow_down(fault);
                false
            }
            FaultClass::Authentication | FaultClass::Permission | FaultClass::TenantMissing => {
                gate.rules().works();
                gate.halted.send_replace(Some(fault.clone()));
                gate.count_refusal();
                false
            }
            FaultClass::Network | FaultClass::Timeout | FaultClass::Protocol => {
                let now = gate.now();
                let mut rules = gate.rules();
                let probe = rules.is_probe(self.probe);
                rules.breaker.failed(probe, now, fastrand::f64());
                let is_closed = rules.breaker.state() == BreakerState::Closed;
                if let Some(pause) = fault.retry_after {
                    rules.connects.pause(pause, now);
                }
                drop(rules);
                gate.count_refusal();
                is_closed
            }
        };
        gate.probed.notify_waiters();
        counts
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.told {
            self.gate.rules().abandoned(self.probe, self.gate.now());
            self.gate.probed.notify_waiters();
        }
    }
}

/// A probe's connection that waits for a join. Dropped before one has come, it has found nothing.
#[derive(Debug)]
pub(crate) struct Offer {
    gate: Arc<Gate>,
    probe: u64,
}

impl Offer {
    /// The connection was lost before anything was joined on it.
    pub(crate) fn lost(self) {
        let now = self.gate.now();
        let mut rules = self.gate.rules();
        if rules.offered && rules.is_probe(Some(self.probe)) {
            rules.offered = false;
            rules.breaker.failed(true, now, fastrand::f64());
        }
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        let mut rules = self.gate.rules();
        if rules.offered {
            rules.abandoned(Some(self.probe), self.gate.now());
        }
        drop(rules);
        self.gate.probed.notify_waiters();
    }
}

impl JoinPermit {
    /// It is joined.
    pub(crate) fn succeeded(mut self) {
        self.told = true;
        self.gate.rules().works();
        self.gate.probed.notify_waiters();
    }

    /// It is not, for a reason of its own: the endpoint works.
    pub(crate) fn answered(mut self) {
        self.told = true;
        let mut rules = self.gate.rules();
        if rules.is_probe(self.probe) {
            rules.works();
        }
        drop(rules);
        self.gate.probed.notify_waiters();
    }

    /// It was not answered, or by an endpoint that does not work at present. Returns as [`Gate::trouble`] does.
    pub(crate) fn failed(mut self, source: Source, others_joined: bool) -> bool {
        self.told = true;
        let now = self.gate.now();
        let mut rules = self.gate.rules();
        if rules.is_probe(self.probe) {
            rules.breaker.failed(true, now, fastrand::f64());
        }
        drop(rules);
        let counts = self.gate.trouble(source, others_joined);
        self.gate.probed.notify_waiters();
        counts
    }
}

impl Drop for JoinPermit {
    fn drop(&mut self) {
        if !self.told {
            self.gate.rules().abandoned(self.probe, self.gate.now());
            self.gate.probed.notify_waiters();
        }
    }
}
