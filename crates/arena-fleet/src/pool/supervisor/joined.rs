//! A channel that is joined, until it is not.

use super::{Failed, Stop, Supervisor};
use crate::channel::{Ask, ChannelEvent, PushError};
use crate::classify;
use crate::link::{Answer, Command, Told};
use crate::monitor::Phase;
use crate::pool::Lease;
use arena_core::fleet::{Fault, FaultClass, NextStep};
use arena_realtime::codec::client::{presence_payload, user_broadcast_payload};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// A token is replaced when so much of its time is over, or up to a tenth of that earlier: bots that came together do
/// not renew together.
const TOKEN_SHARE: f64 = 0.8;
/// The shortest time between two tokens, where a source gives such as end at once.
const TOKEN_LEAST: Duration = Duration::from_secs(1);
/// How long a source that gives the same token as before is left alone, at least.
const TOKEN_AGAIN: Duration = Duration::from_secs(30);
/// A `system` message explains a close that follows it within this time.
const EXPLAINS: Duration = Duration::from_secs(10);

/// What is known while a channel is joined.
struct Stay {
    lease: Lease,
    /// When the next token is due.
    token_due: Option<Instant>,
    /// The last failure that the endpoint spoke of, and when.
    word: Option<(Fault, Instant)>,
}

impl Supervisor {
    /// It is joined. Comes back when it is not.
    pub(super) async fn stay(
        &mut self,
        lease: Lease,
        mut hears: mpsc::Receiver<Told>,
        response: Value,
    ) -> Failed {
        self.begin(&response);
        if let Err(stop) = self.deliver(ChannelEvent::Joined { response }).await {
            return self.leave(lease, stop).await;
        }
        let mut stay = Stay { lease, token_due: self.token_due(), word: None };
        let (gone, stop) = (self.far.gone.clone(), self.pool.stop.clone());
        loop {
            self.show(&stay);
            let token_due = stay.token_due;
            let step = tokio::select! {
                () = gone.cancelled() => Err(Failed::Stop(Stop::Gone)),
                () = stop.cancelled() => Err(Failed::Stop(Stop::Gone)),
                ask = self.far.asks.recv() => self.asked(&stay, ask),
                told = hears.recv() => self.told(&mut stay, told),
                refused = self.tracking.next() => { self.not_shown(refused); Ok(()) }
                () = at(token_due) => { self.renew(&mut stay); Ok(()) }
            };
            match step {
                Ok(()) => {}
                Err(Failed::Stop(stop @ (Stop::Gone | Stop::Left(_)))) => {
                    return self.leave(stay.lease, stop).await;
                }
                Err(failed) => return failed,
            }
        }
    }

    fn begin(&mut self, response: &Value) {
        self.backoff.works(self.pool.gate.now());
        self.fresh_token = false;
        self.tracking.restart();
        self.report(Phase::Open);
        // What follows this place is what follows the reply, unless there is something from before to catch up with.
        let catches_up = response.get("recovered").and_then(Value::as_bool) == Some(true);
        if let Some(position) = response.get("position").filter(|_| !catches_up) {
            self.saw(position);
        }
    }

    fn asked(&mut self, stay: &Stay, ask: Option<Ask>) -> Result<(), Failed> {
        match ask {
            None => Err(Stop::Gone.into()),
            Some(Ask::Leave(done)) => Err(Stop::Left(done).into()),
            Some(Ask::Track(wish)) => {
                self.tracking.wish(wish);
                Ok(())
            }
            Some(Ask::Push { event, payload, answer }) => {
                self.send(stay, "broadcast", user_broadcast_payload(&event, &payload), Some(answer));
                Ok(())
            }
        }
    }

    fn told(&mut self, stay: &mut Stay, told: Option<Told>) -> Result<(), Failed> {
        match told {
            Some(Told::Event(event)) => self.hand_over(stay, *event),
            Some(Told::Errored(payload)) => {
                let fault = stay.explained().unwrap_or_else(|| {
                    let said = classify::refusal(&payload);
                    let detail = if said.detail.is_empty() { "phx_error".to_owned() } else { said.detail };
                    Fault::new(FaultClass::Network, "channel_error", detail)
                });
                Err(self.down(fault))
            }
            Some(Told::Closed) => {
                let fault = stay.explained().unwrap_or_else(|| {
                    Fault::new(FaultClass::Network, "channel_closed", "the endpoint closed the topic")
                });
                Err(self.down(fault))
            }
            // The connection is gone, or more was said than could be looked at.
            None => match stay.lease.end() {
                Some(_) => Err(self.lost(&stay.lease)),
                None => Err(behind()),
            },
        }
    }

    /// The bot hears it, if it has room; without, it is behind, and the channel is joined anew from what it has heard.
    fn hand_over(&mut self, stay: &mut Stay, event: ChannelEvent) -> Result<(), Failed> {
        let mut seen = None;
        match &event {
            ChannelEvent::System { message, .. } => {
                if let Some(fault) = classify::system(message) {
                    self.limited(&fault);
                    stay.word = Some((fault, Instant::now()));
                }
            }
            ChannelEvent::Message { meta, .. } if meta.get("offset").is_some() => seen = Some(meta.clone()),
            _ => {}
        }
        match self.far.events.try_send(event) {
            Ok(()) => {
                if let Some(meta) = seen {
                    self.saw(&meta);
                }
                Ok(())
            }
            Err(TrySendError::Full(_)) => Err(behind()),
            Err(TrySendError::Closed(_)) => Err(Stop::Gone.into()),
        }
    }

    /// The endpoint has ended it. What it is rebuilt with is asked for then, so a token that has ended is no reason to stop.
    fn down(&mut self, fault: Fault) -> Failed {
        match fault.class.next_step() {
            NextStep::Stop if fault.class != FaultClass::Authentication => Stop::Failed(fault).into(),
            NextStep::Stop | NextStep::Retry => Failed::Down { fault, counts: true },
            NextStep::SlowDown => {
                self.pool.gate.slow_down(&fault);
                Failed::Down { fault, counts: false }
            }
            NextStep::Quarantine => Stop::Failed(fault).into(),
        }
    }

    /// Tells what is to be shown in the presence, when it is time.
    fn show(&mut self, stay: &Stay) {
        let Some(payload) = self.tracking.due(Instant::now()).map(|wish| presence_payload(Some(wish))) else {
            return;
        };
        let (answer, answered) = oneshot::channel();
        self.send(stay, "presence", payload, Some(answer));
        self.tracking.tell(answered);
    }

    fn not_shown(&self, refused: Option<Fault>) {
        if let Some(fault) = refused {
            self.limited(&fault);
        }
    }

    /// A limit of which the endpoint tells while the channel goes on: everybody is slower, and it is reported.
    fn limited(&self, fault: &Fault) {
        if fault.class == FaultClass::RateLimit {
            self.pool.gate.slow_down(fault);
            self.pool.monitor.fault(fault);
        }
    }

    fn token_due(&self) -> Option<Instant> {
        let ttl = self.token_ttl?;
        let share = TOKEN_SHARE * (1.0 - 0.1 * fastrand::f64());
        Some(Instant::now() + ttl.mul_f64(share).max(TOKEN_LEAST))
    }

    /// Shows a new token before the old one ends. A source that has no other yet is asked again later, as is a
    /// connection that has no room for it.
    fn renew(&mut self, stay: &mut Stay) {
        let token = self.spec.token.current();
        if token.text == self.token {
            let again = token.ttl.unwrap_or(TOKEN_AGAIN).max(TOKEN_AGAIN);
            stay.token_due = Some(Instant::now() + again.mul_f64(TOKEN_SHARE));
            return;
        }
        let payload = raw(&json!({ "access_token": &*token.text }));
        if !self.send(stay, "access_token", payload, None) {
            stay.token_due = Some(Instant::now() + TOKEN_LEAST);
            return;
        }
        self.token = token.text;
        self.token_ttl = token.ttl;
        stay.token_due = self.token_due();
    }

    /// Returns whether the connection has taken it.
    fn send(&self, stay: &Stay, event: &'static str, payload: Box<RawValue>, answer: Option<Answer>) -> bool {
        let command = Command::Send { topic: Arc::clone(&self.topic), event, payload, answer };
        let refused = match stay.lease.commands().try_send(Box::new(command)) {
            Ok(()) => return true,
            Err(TrySendError::Full(command)) => (command, PushError::Full),
            Err(TrySendError::Closed(command)) => (command, PushError::NotJoined),
        };
        let (command, error) = refused;
        if let Command::Send { answer: Some(answer), .. } = *command {
            let _ = answer.send(Err(error));
        }
        false
    }

    /// Takes the presence back, leaves, and waits until that is done; the connection bounds the time.
    async fn leave(&mut self, lease: Lease, stop: Stop) -> Failed {
        if self.tracking.is_shown() {
            let untrack = Command::Send {
                topic: Arc::clone(lease.topic()),
                event: "presence",
                payload: presence_payload::<Value>(None),
                answer: None,
            };
            // Where there is no room, leaving takes it back as well.
            let _ = lease.commands().try_send(Box::new(untrack));
        }
        let _ = lease.give_back().await;
        stop.into()
    }
}

impl Stay {
    /// What the endpoint said shortly before it ended the channel.
    fn explained(&mut self) -> Option<Fault> {
        self.word.take().filter(|(_, at)| at.elapsed() <= EXPLAINS).map(|(fault, _)| fault)
    }
}

fn behind() -> Failed {
    let fault = Fault::new(FaultClass::Network, "bot_behind", "the bot did not look at what it was told");
    Failed::Down { fault, counts: false }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
