//! Keeps one channel joined.

mod joined;

use super::gate::JoinPermit;
use super::tracking::Tracking;
use super::{Inner, Lease, Source};
use crate::channel::{Ask, ChannelEvent, ChannelSpec, FarEnd, PushError, Reply};
use crate::classify::{self, Waited};
use crate::link::{Command, End, LinkState, TOLD, Told};
use crate::monitor::{Phase, Subject};
use arena_core::fleet::{Backoff, BreakerState, Failure, Fault, FaultClass, NextStep};
use arena_realtime::codec::TOPIC_PREFIX;
use arena_realtime::codec::client::JoinRequest;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

/// The codes of a connection that has as many topics as it may have: Supabase's, and our gateway's.
const TOO_MANY_TOPICS_HERE: [&str; 2] = ["ChannelRateLimitReached", "TooManyTopics"];

/// The task of one channel.
pub(super) struct Supervisor {
    pool: Arc<Inner>,
    subject: Subject,
    /// Its number among all channels of the pool.
    number: u64,
    /// The topic as on the wire.
    topic: Arc<str>,
    spec: ChannelSpec,
    far: FarEnd,
    backoff: Backoff,
    tracking: Tracking,
    /// The `meta` of the last message that was handed over, or where the join began.
    seen: Option<Box<RawValue>>,
    /// The connection on which it did not go well.
    avoid: Option<u64>,
    /// It was refused for its token, and got a fresh one.
    fresh_token: bool,
    /// The token that was shown last.
    token: Arc<str>,
    /// How long it is good for.
    token_ttl: Option<Duration>,
}

/// Why a channel is not supervised any more.
enum Stop {
    /// Its bot has dropped it, or the pool is shut down.
    Gone,
    /// Its bot leaves, and waits for this.
    Left(oneshot::Sender<()>),
    /// It failed for good.
    Failed(Fault),
}

/// What an attempt came to.
enum Failed {
    Stop(Stop),
    /// It is tried again.
    Down {
        fault: Fault,
        counts: bool,
    },
    /// It is tried again at once, with a fresh token.
    AtOnce,
}

impl From<Stop> for Failed {
    fn from(stop: Stop) -> Failed {
        Failed::Stop(stop)
    }
}

impl Supervisor {
    pub(super) fn new(pool: Arc<Inner>, bot: &str, spec: ChannelSpec, far: FarEnd) -> Supervisor {
        let subject = Subject::Channel { bot: bot.into(), topic: spec.topic.as_str().into() };
        let backoff = Backoff::new(pool.settings.retry, pool.settings.stable_after);
        Supervisor {
            subject,
            number: pool.opened.fetch_add(1, Ordering::Relaxed),
            topic: format!("{TOPIC_PREFIX}{}", spec.topic).into(),
            tracking: Tracking::new(spec.presence.clone()),
            backoff,
            seen: None,
            avoid: None,
            fresh_token: false,
            token: "".into(),
            token_ttl: None,
            pool,
            spec,
            far,
        }
    }

    pub(super) async fn run(mut self) {
        let stop = Box::pin(self.live()).await;
        match stop {
            Stop::Gone => self.report(Phase::Closed),
            Stop::Left(done) => {
                self.report(Phase::Closed);
                let _ = done.send(());
            }
            Stop::Failed(fault) => Box::pin(self.failed(fault)).await,
        }
        self.pool.monitor.forget(&self.subject);
    }

    /// It stays known as failed for as long as its bot holds it.
    async fn failed(&mut self, fault: Fault) {
        tracing::info!(subject = ?self.subject, %fault, "a channel failed for good");
        self.report(Phase::Failed(fault.clone()));
        if self.deliver(ChannelEvent::Ended { fault }).await.is_err() {
            return;
        }
        let (none, _) = mpsc::channel(1);
        self.far.events = none;
        self.far.asks.close();
        tokio::select! {
            () = self.far.gone.cancelled() => {}
            () = self.pool.stop.cancelled() => {}
        }
    }

    async fn live(&mut self) -> Stop {
        loop {
            match self.attempt().await {
                Failed::Stop(stop) => return stop,
                Failed::AtOnce => {}
                Failed::Down { fault, counts } => {
                    if let Err(stop) = self.back_off(fault, counts).await {
                        return stop;
                    }
                }
            }
        }
    }

    async fn back_off(&mut self, fault: Fault, counts: bool) -> Result<(), Stop> {
        let now = self.pool.gate.now();
        // What happens while the endpoint works for nobody is nobody's failure.
        let counts = counts && self.pool.gate.breaker() == BreakerState::Closed;
        let failure = Failure { retry_after: fault.retry_after, counts };
        let Some(after) = self.backoff.failed(failure, now, fastrand::f64()) else {
            return Err(Stop::Failed(fault));
        };
        let began = Instant::now();
        let attempt = self.backoff.attempts(now);
        self.report(Phase::BackingOff { fault: fault.clone(), attempt, after });
        self.deliver(ChannelEvent::Down { fault, after }).await?;
        self.meanwhile(sleep(after.saturating_sub(began.elapsed()))).await
    }

    /// From a place on a connection to the end of the join; never comes back well.
    async fn attempt(&mut self) -> Failed {
        match self.try_once().await {
            Ok(never) => match never {},
            Err(failed) => failed,
        }
    }

    async fn try_once(&mut self) -> Result<std::convert::Infallible, Failed> {
        self.report(Phase::Waiting);
        let mut lease = self.place().await?;
        let permit = self.turn(&lease).await?;
        self.report(Phase::Opening);
        let (told, hears) = mpsc::channel(TOLD);
        let reply = self.join(&mut lease, told).await?;
        match reply {
            Ok(Reply { ok: true, response }) => {
                permit.succeeded();
                lease.is_joined();
                Err(self.stay(lease, hears, response).await)
            }
            Ok(Reply { response, .. }) => Err(self.refused(&lease, permit, &response)),
            Err(PushError::Timeout) => {
                self.avoid = Some(lease.link());
                let fault = classify::timeout(Waited::Join, self.pool.settings.reply_timeout);
                Err(self.in_vain(permit, fault))
            }
            Err(_) => Err(self.lost_early(&lease, Some(permit))),
        }
    }

    /// Its turn to join, unless the connection is lost before.
    async fn turn(&mut self, lease: &Lease) -> Result<JoinPermit, Failed> {
        let (pool, mut state) = (Arc::clone(&self.pool), lease.state());
        let turn = self.meanwhile(async move {
            tokio::select! {
                permit = pool.gate.join() => Some(permit),
                _ = state.wait_for(|state| matches!(state, LinkState::Ended(_))) => None,
            }
        });
        turn.await?.ok_or_else(|| self.lost_early(lease, None))
    }

    /// A place on an open connection.
    async fn place(&mut self) -> Result<Lease, Failed> {
        let (pool, topic, avoid) = (Arc::clone(&self.pool), Arc::clone(&self.topic), self.avoid.take());
        let lease = self.meanwhile(async { pool.lease(&topic, avoid).await }).await?;
        let mut state = lease.state();
        let settled = self.meanwhile(async move {
            let settled = state.wait_for(|state| matches!(state, LinkState::Open | LinkState::Ended(_)));
            settled.await.map(|state| state.clone()).ok()
        });
        match settled.await? {
            Some(LinkState::Open) => Ok(lease),
            _ => Err(self.lost_early(&lease, None)),
        }
    }

    async fn join(
        &mut self,
        lease: &mut Lease,
        told: mpsc::Sender<Told>,
    ) -> Result<Result<Reply, PushError>, Failed> {
        let token = self.spec.token.current();
        self.token_ttl = token.ttl;
        self.token = Arc::clone(&token.text);
        let request = JoinRequest {
            ack: true,
            own: false,
            private: self.spec.private,
            presence_key: self.spec.presence_key.as_deref(),
            watches_presence: self.spec.watches_presence,
            recover: self.seen.as_deref(),
            access_token: Some(&*token.text).filter(|text| !text.is_empty()),
        };
        let (answer, answered) = oneshot::channel();
        let command = Command::Join {
            topic: Arc::clone(&self.topic),
            payload: request.payload(),
            told,
            presence: self.spec.watches_presence,
            answer,
        };
        let commands = lease.commands();
        lease.joins();
        let reply = self.meanwhile(async move {
            // Room there will be, or an end.
            let _ = commands.send(Box::new(command)).await;
            answered.await.unwrap_or(Err(PushError::Lost))
        });
        Ok(reply.await?)
    }

    /// The endpoint does not want the join.
    fn refused(&mut self, lease: &Lease, permit: JoinPermit, response: &Value) -> Failed {
        let fault = classify::refusal(response);
        if fault.class.next_step() == NextStep::Retry {
            return self.in_vain(permit, fault);
        }
        permit.answered();
        if matches!(fault.class, FaultClass::Authentication | FaultClass::Protocol) {
            self.pool.gate.count_refusal();
        }
        match fault.class.next_step() {
            NextStep::Stop if fault.class == FaultClass::Authentication && !self.fresh_token => {
                self.fresh_token = true;
                Failed::AtOnce
            }
            NextStep::Stop | NextStep::Quarantine => Stop::Failed(fault).into(),
            NextStep::SlowDown => {
                if TOO_MANY_TOPICS_HERE.contains(&fault.code.as_str()) {
                    self.avoid = Some(lease.link());
                }
                self.pool.gate.slow_down(&fault);
                Failed::Down { fault, counts: false }
            }
            NextStep::Retry => Failed::Down { fault, counts: true },
        }
    }

    /// The join came to nothing, and not because of this channel, as far as is known.
    fn in_vain(&self, permit: JoinPermit, fault: Fault) -> Failed {
        self.pool.gate.count_refusal();
        let others_joined = self.pool.registry.others_joined(&self.topic);
        Failed::Down { counts: permit.failed(self.source(), others_joined), fault }
    }

    fn source(&self) -> Source {
        Source::Channel(self.number, Arc::clone(&self.topic))
    }

    /// Its connection was lost before it was joined, or was not made.
    fn lost_early(&mut self, lease: &Lease, permit: Option<JoinPermit>) -> Failed {
        // What was not made has told the gate itself; what was not needed any more is no trouble.
        let is_trouble = lease.end().is_none_or(|end| end.was_open && end.counts);
        match (self.lost(lease), permit) {
            (Failed::Down { fault, .. }, Some(permit)) if fault.class == FaultClass::RateLimit => {
                permit.answered();
                Failed::Down { fault, counts: false }
            }
            (Failed::Down { fault, .. }, Some(permit)) if is_trouble => self.in_vain(permit, fault),
            (Failed::Down { fault, counts: true }, None) if is_trouble => {
                self.pool.gate.count_refusal();
                let others_joined = self.pool.registry.others_joined(&self.topic);
                Failed::Down { counts: self.pool.gate.trouble(self.source(), others_joined), fault }
            }
            (failed @ Failed::Stop(_), Some(permit)) => {
                permit.failed(self.source(), true);
                failed
            }
            (failed, _) => failed,
        }
    }

    /// Its connection is no more, or was not made.
    fn lost(&mut self, lease: &Lease) -> Failed {
        let end = lease.end().unwrap_or_else(|| End {
            fault: classify::closed(None, ""),
            counts: true,
            was_open: true,
        });
        match end.fault.class {
            FaultClass::Protocol if end.was_open => Stop::Failed(end.fault).into(),
            FaultClass::RateLimit if end.was_open => {
                self.pool.gate.slow_down(&end.fault);
                Failed::Down { fault: end.fault, counts: false }
            }
            _ => Failed::Down { fault: end.fault, counts: end.counts },
        }
    }

    /// Waits for `work` and answers what the bot asks in between, while the channel is not joined.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                () = self.far.gone.cancelled() => return Err(Stop::Gone),
                () = self.pool.stop.cancelled() => return Err(Stop::Gone),
                ask = self.far.asks.recv() => match ask {
                    None => return Err(Stop::Gone),
                    Some(Ask::Leave(done)) => return Err(Stop::Left(done)),
                    Some(Ask::Track(wish)) => self.tracking.wish(wish),
                    Some(Ask::Push { answer, .. }) => drop(answer.send(Err(PushError::NotJoined))),
                },
                out = &mut work => return Ok(out),
            }
        }
    }

    /// Tells the bot, as soon as it has room for it.
    async fn deliver(&mut self, event: ChannelEvent) -> Result<(), Stop> {
        let events = self.far.events.clone();
        self.meanwhile(async move { events.send(event).await }).await?.map_err(|_| Stop::Gone)
    }

    fn report(&self, phase: Phase) {
        self.pool.monitor.phase(&self.subject, phase);
    }

    /// From here on is what a rejoin asks for.
    fn saw(&mut self, meta: &Value) {
        if meta.get("offset").is_some() {
            self.seen = to_raw_value(meta).ok();
        }
    }
}
