//! A wanderer's life in a world: it gets a seat, sees what happens, and walks about.

use super::around::{Around, BotSettings};
use super::leave::{LeaveWatch, told};
use super::seat::{Seat, Seats};
use super::thought::{NoThought, think};
use crate::brain::{Act, Brain, Purse, Scene, Sensed, Unpaid};
use crate::channel::{Channel, ChannelEvent, ChannelSpec};
use crate::identity::Identity;
use arena_core::fleet::{Backoff, Failure, Fault, FaultClass, NextStep};
use async_trait::async_trait;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Whoever kept its seat for so long has a fresh start when it loses it.
const STABLE: Duration = Duration::from_secs(60);
/// What a seat that was given and is gone again is called.
const SEAT_LOST: &str = "seat_lost";
/// How long the answer to an input is waited for: a few ticks. What comes meanwhile waits in the channel.
const INPUT: Duration = Duration::from_secs(2);
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(3);

/// How a life in a world ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WorldEnd {
    /// The bot leaves.
    Left,
    /// The brain is not to be used again.
    BrainFailed(Fault),
}

/// Worlds charge nothing of what is done in them.
struct NoPurse;

#[async_trait]
impl Purse for NoPurse {
    async fn reserve(&self, _tokens: u64, _cost_micros: u64) -> Result<Option<String>, Unpaid> {
        Ok(None)
    }

    async fn release(&self, _reservation: &str) {}
}

/// Lives in the world of `channel` until it is told to leave; comes back whenever its seat was lost. Where it is refused
/// one, it lives on without and asks again much later.
pub(super) async fn live(
    around: Arc<Around>,
    me: Arc<Identity>,
    seats: Arc<dyn Seats>,
    channel: String,
    mut leave: LeaveWatch,
) -> WorldEnd {
    let mut tries = Tries::new(&around.settings);
    loop {
        if leave.borrow_and_update().is_some() {
            return WorldEnd::Left;
        }
        let fault = match stay(&around, &me, seats.as_ref(), &channel, &mut tries, &mut leave).await {
            Ended::Lost(fault) => fault,
            Ended::Brain(why) => return WorldEnd::BrainFailed(why.fault()),
            Ended::Told => continue,
        };
        around.monitor.fault(&fault);
        let delay = tries.failed(&fault).unwrap_or_else(|| {
            tracing::warn!(bot = me.id, %fault, "no place in the world: the bot goes on without");
            around.settings.lobby_retry.mul_f64(1.0 + fastrand::f64() / 2.0)
        });
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = told(&mut leave) => {}
        }
    }
}

/// The attempts of one bot to live in one world.
struct Tries {
    began: Instant,
    backoff: Backoff,
}

impl Tries {
    fn new(settings: &BotSettings) -> Tries {
        Tries { began: Instant::now(), backoff: Backoff::new(settings.seat_retry, STABLE) }
    }

    fn joined(&mut self) {
        self.backoff.works(self.began.elapsed());
    }

    /// How long to wait; `None`: much longer. A server that does not answer refuses nobody, so that all come back with
    /// it; whoever is refused again and again, as by a channel that stays full, asks as rarely as one who was refused
    /// for good.
    fn failed(&mut self, fault: &Fault) -> Option<Duration> {
        if fault.class.next_step() == NextStep::Stop {
            return None;
        }
        let is_away = matches!(fault.class, FaultClass::Network | FaultClass::Timeout);
        let failure = Failure { retry_after: fault.retry_after, counts: !is_away || fault.code == SEAT_LOST };
        self.backoff.failed(failure, self.began.elapsed(), fastrand::f64())
    }
}

enum Ended {
    Lost(Fault),
    Brain(NoThought),
    /// The bot was told something about its leaving.
    Told,
}

/// From taking a seat to losing it.
async fn stay(
    around: &Around,
    me: &Identity,
    seats: &dyn Seats,
    name: &str,
    tries: &mut Tries,
    leave: &mut LeaveWatch,
) -> Ended {
    let taken = tokio::select! {
        taken = seats.take(me, name) => taken,
        () = told(leave) => return Ended::Told,
    };
    let seat = match taken {
        Ok(seat) => seat,
        Err(fault) => return Ended::Lost(fault),
    };
    let channel = (around.open)(&me.id, place(me, &seat));
    let brain = (around.brains)(me, &seat.topic);
    let purse: Arc<dyn Purse> = Arc::new(NoPurse);
    let mut life = Wandering { around, me, body: seat.body, channel, brain, purse, dropped_thoughts: 0 };
    let ended = tokio::select! {
        ended = life.go_on(tries) => ended,
        () = told(leave) => Ended::Told,
    };
    if matches!(ended, Ended::Told) && leave.borrow().is_some() {
        let _ = tokio::time::timeout(LEAVING, life.think_and_act(Sensed::Leaving)).await;
    }
    life.channel.leave(LEAVING).await;
    ended
}

/// A world shows who is in it by itself.
fn place(me: &Identity, seat: &Seat) -> ChannelSpec {
    let _ = me;
    ChannelSpec {
        topic: seat.topic.clone(),
        private: false,
        token: seat.token.clone(),
        presence_key: None,
        presence: None,
        watches_presence: false,
    }
}

struct Wandering<'a> {
    around: &'a Around,
    me: &'a Identity,
    body: String,
    channel: Channel,
    brain: Box<dyn Brain>,
    purse: Arc<dyn Purse>,
    dropped_thoughts: u32,
}

impl Wandering<'_> {
    async fn go_on(&mut self, tries: &mut Tries) -> Ended {
        loop {
            let idle = Instant::now() + self.around.settings.idle;
            let sensed = match tokio::time::timeout_at(idle, self.channel.next()).await {
                Err(_) => Some(Sensed::Idle),
                Ok(None) => return Ended::Lost(lost("the channel ended")),
                Ok(Some(ChannelEvent::Ended { fault })) => return Ended::Lost(seat_lost(fault)),
                Ok(Some(ChannelEvent::Joined { mut response })) => {
                    tries.joined();
                    response
                        .get_mut("snapshot")
                        .map(Value::take)
                        .filter(|snapshot| !snapshot.is_null())
                        .map(|s| self.world(s))
                }
                Ok(Some(ChannelEvent::Message { event, payload, .. })) => match event.as_str() {
                    "snapshot" => Some(self.world(payload)),
                    "delta" => Some(Sensed::Delta { delta: payload }),
                    _ => None,
                },
                Ok(Some(_)) => None,
            };
            if let Some(sensed) = sensed
                && let Err(why) = self.think_and_act(sensed).await
            {
                return Ended::Brain(why);
            }
        }
    }

    fn world(&self, snapshot: Value) -> Sensed {
        Sensed::World { snapshot, body: self.body.clone() }
    }

    /// Has a thought and does what comes of it; then one about what was refused of that, and no more: what that leads to
    /// waits for the next thing that happens.
    async fn think_and_act(&mut self, sensed: Sensed) -> Result<(), NoThought> {
        for refused in self.once(sensed).await? {
            self.once(refused).await?;
        }
        Ok(())
    }

    /// Gives what was refused.
    async fn once(&mut self, sensed: Sensed) -> Result<Vec<Sensed>, NoThought> {
        let scene = Scene { me: self.me, purse: &self.purse };
        let acts = match think(self.brain.as_mut(), scene, sensed, self.around.settings.thought).await {
            Ok(acts) => acts,
            Err(NoThought::TooLong) if self.dropped_thoughts + 1 < self.around.settings.dropped_thoughts => {
                self.dropped_thoughts += 1;
                return Ok(Vec::new());
            }
            Err(why) => return Err(why),
        };
        self.dropped_thoughts = 0;
        let mut refused = Vec::new();
        for act in acts {
            if let Act::Input { event, payload } = act
                && let Some(code) = refusal(&self.channel, &event, payload).await
            {
                refused.push(Sensed::Refused { input: event, code });
            }
        }
        Ok(refused)
    }
}

/// Sends an input; gives the code of what the world says against it. Without an answer it is not known what came of it,
/// and the world shows what is so.
async fn refusal(channel: &Channel, event: &str, payload: Value) -> Option<String> {
    match tokio::time::timeout(INPUT, channel.push(event, payload)).await {
        Ok(Ok(reply)) if reply.ok => None,
        Ok(Ok(reply)) => {
            let code = reply.response.get("code").and_then(Value::as_str);
            Some(code.unwrap_or("refused").to_owned())
        }
        Ok(Err(_)) | Err(_) => Some("unavailable".to_owned()),
    }
}

fn lost(why: &str) -> Fault {
    Fault::new(FaultClass::Network, SEAT_LOST, why)
}

/// The topic of a seat that is gone is closed for good; the seat is asked for anew. What the token was not good for is
/// the seat's end and not the bot's, so only whoever gives seats can end its life in worlds.
fn seat_lost(fault: Fault) -> Fault {
    let after = fault.retry_after;
    lost(&fault.to_string()).retry_after(after)
}
