//! Connections that many bots share.
//!
//! A gate says who may connect and join, and when; a registry knows which topics are on which connection and hands out
//! leases; a supervisor for each channel keeps it joined.

mod gate;
mod registry;
mod supervisor;
mod tracking;

use crate::channel::{Channel, ChannelSpec};
use crate::endpoint::{Dial, Endpoint};
use crate::link::{Actor, Limits};
use crate::monitor::Monitor;
use crate::settings::PoolSettings;
use arena_core::fleet::{BreakerState, Fault};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use supervisor::Supervisor;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use gate::{Gate, Offer, Source};
pub(crate) use registry::{Lease, Registry, Ticket};

/// All connections to one endpoint. Clones share them.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

/// How a pool is, at one moment. Everything is counted when it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolStats {
    /// Connections that work.
    pub connections: usize,
    /// Connections that wait for their turn.
    pub waiting: usize,
    /// Connections that are being made.
    pub connecting: usize,
    /// Channels that have a place on a connection.
    pub channels: usize,
    /// Channels that wait for a place, because there are as many connections as may be.
    pub without_place: usize,
    /// Channels that are supervised, with a place or without.
    pub supervised: usize,
    /// What is known of the endpoint.
    pub breaker: BreakerState,
    /// Connects that may be begun now, per second.
    pub connects_per_sec: f64,
    /// Joins that may be begun now, per second.
    pub joins_per_sec: f64,
    /// Why nothing is tried at all.
    pub halted: Option<Fault>,
}

pub(crate) struct Inner {
    endpoint: Arc<Endpoint>,
    dial: Arc<dyn Dial>,
    settings: PoolSettings,
    monitor: Monitor,
    gate: Arc<Gate>,
    registry: Arc<Registry>,
    /// Channels that were ever opened: their numbers.
    opened: AtomicU64,
    channels: TaskTracker,
    links: TaskTracker,
    /// Channels are to leave.
    stop: CancellationToken,
    /// Connections are to close.
    closing: CancellationToken,
    /// The deadline is over.
    kill: CancellationToken,
}

impl Pool {
    /// A pool without connections; they are made when channels need them.
    pub fn start(endpoint: Endpoint, dial: Arc<dyn Dial>, settings: PoolSettings, monitor: Monitor) -> Pool {
        let gate = Arc::new(Gate::new(&settings));
        let registry = Registry::new(settings.channels_per_connection, settings.max_connections);
        let inner = Inner {
            endpoint: Arc::new(endpoint),
            dial,
            monitor,
            gate,
            registry: Arc::new(registry),
            opened: AtomicU64::new(0),
            channels: TaskTracker::new(),
            links: TaskTracker::new(),
            stop: CancellationToken::new(),
            closing: CancellationToken::new(),
            kill: CancellationToken::new(),
            settings,
        };
        Pool { inner: Arc::new(inner) }
    }

    /// A channel of this bot. It is joined, and joined again, until its end is dropped or it has
    /// [ended](crate::channel::ChannelEvent::Ended).
    pub fn open(&self, bot: &str, spec: ChannelSpec) -> Channel {
        let (near, far) = Channel::pair(&spec.topic);
        let inner = &self.inner;
        let supervisor = Supervisor::new(Arc::clone(inner), bot, spec, far);
        let kill = inner.kill.clone();
        inner.channels.spawn(async move { kill.run_until_cancelled_owned(supervisor.run()).await });
        near
    }

    /// How it is.
    pub fn stats(&self) -> PoolStats {
        let counts = self.inner.registry.counts();
        let (connects_per_sec, joins_per_sec) = self.inner.gate.rates();
        PoolStats {
            connections: counts.open,
            waiting: counts.waiting,
            connecting: counts.connecting,
            channels: counts.channels,
            without_place: counts.without_place,
            supervised: self.inner.channels.len(),
            breaker: self.inner.gate.breaker(),
            connects_per_sec,
            joins_per_sec,
            halted: self.halted(),
        }
    }

    /// Why nothing is tried any more, until [`Pool::resume`]: the endpoint does not know the key, or the project.
    pub fn halted(&self) -> Option<Fault> {
        self.inner.gate.halted()
    }

    /// Tries again after it was halted.
    pub fn resume(&self) {
        self.inner.gate.resume();
    }

    /// Counts refusals of the endpoint's and connects that failed: whoever starts bots is slower after a change.
    pub fn refusals(&self) -> watch::Receiver<u64> {
        self.inner.gate.refusals()
    }

    /// Takes presences back, leaves all topics and closes all connections, in this order. Returns whether that was done
    /// within `deadline`; what was not is cut off.
    pub async fn shutdown(&self, deadline: Duration) -> bool {
        let inner = &self.inner;
        let orderly = async {
            inner.stop.cancel();
            inner.channels.close();
            inner.channels.wait().await;
            inner.closing.cancel();
            inner.links.close();
            inner.links.wait().await;
        };
        let in_time = tokio::time::timeout(deadline, orderly).await.is_ok();
        inner.kill.cancel();
        inner.channels.wait().await;
        inner.closing.cancel();
        inner.links.close();
        inner.links.wait().await;
        in_time
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("endpoint", &self.inner.endpoint).finish_non_exhaustive()
    }
}

impl Inner {
    /// A place for this topic, as soon as there is one: not on `avoid`, if that can be helped.
    pub(crate) async fn lease(&self, topic: &Arc<str>, avoid: Option<u64>) -> Lease {
        let (lease, seed) = self.registry.lease(topic, avoid).await;
        if let Some((ticket, commands)) = seed {
            let settings = &self.settings;
            let actor = Actor {
                endpoint: Arc::clone(&self.endpoint),
                dial: Arc::clone(&self.dial),
                gate: Arc::clone(&self.gate),
                registry: Arc::clone(&self.registry),
                monitor: self.monitor.clone(),
                limits: Limits {
                    connect: settings.connect_timeout,
                    reply: settings.reply_timeout,
                    heartbeat: settings.heartbeat_every,
                },
                ticket,
                commands,
                closing: self.closing.clone(),
            };
            let kill = self.kill.clone();
            self.links.spawn(async move { kill.run_until_cancelled_owned(actor.run()).await });
        }
        lease
    }
}
