//! One world as an actor: a bounded mailbox, a clock, and the simulation.

use super::clock::TickClock;
use super::speech::Speech;
use super::topic::WorldTopic;
use crate::act::{Act, ActError};
use crate::host::{Body, BodyKind, JoinOutcome, Look, ResidentSummary};
use arena_core::BotId;
use arena_core::fault::HostFault;
use arena_sim::{Activity, BrainKind, Effect, Input, Persona, Refusal, Tile, World};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What can be asked of a world. Its mailbox is bounded; a call that finds it full is refused as transient.
#[derive(Debug)]
pub(crate) enum Command {
    /// Put bodies in; answered after the tick that does it.
    Join { bodies: Vec<Body>, reply: oneshot::Sender<Vec<JoinOutcome>> },
    /// Take bodies out; answered after the tick that does it.
    Leave { bots: Vec<BotId>, reply: oneshot::Sender<()> },
    /// Who is in it.
    Residents { reply: oneshot::Sender<BTreeSet<BotId>> },
    /// Where they stand.
    Positions { reply: oneshot::Sender<Vec<(BotId, (u16, u16))>> },
    /// Everything a viewer may know, and the last lines said.
    View { reply: oneshot::Sender<Seen> },
    /// What a viewer of its topic must know to begin with.
    Look { reply: oneshot::Sender<Result<Look, HostFault>> },
    /// Have a body do something; answered after the tick that does it, with that tick. What needs leave to be said is
    /// said by a later tick.
    Act { bot: BotId, act: Act, reply: oneshot::Sender<Result<u64, ActError>> },
}

/// Residents, and the last lines said: who, and what.
pub(crate) type Seen = (Vec<ResidentSummary>, Vec<(String, String)>);

/// What everyone may read of a world without asking it.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    pub(crate) tick: AtomicU64,
    pub(crate) residents: AtomicU32,
    /// Mean length of a tick, in microseconds; 0 while the world is empty.
    pub(crate) tick_us: AtomicU64,
    pub(crate) lagging: AtomicBool,
}

/// Lines that a world remembers for viewers.
const OVERHEARD: usize = 8;

/// Acts of one body that may wait for a tick; more are refused. Nobody does that much in a tick's time.
const ACTS_OF_A_BODY: usize = 8;

/// Bodies that wait for their tick: the place of the first one's input, all of them, and who waits for them.
type JoinReply = (usize, Vec<BotId>, oneshot::Sender<Vec<JoinOutcome>>);

/// Something that a body is about to do: the place of the input, whose it is, and who waits for it.
type ActReply = (usize, BotId, oneshot::Sender<Result<u64, ActError>>);

/// The world and what waits for its next tick.
pub(crate) struct WorldActor {
    sim: World,
    clock: TickClock,
    mailbox: mpsc::Receiver<Command>,
    vitals: Arc<Vitals>,
    inputs: Vec<Input>,
    effects: Vec<Effect>,
    joining: Vec<JoinReply>,
    leaving: Vec<oneshot::Sender<()>>,
    /// Bounded by what each body may do in a tick times the residents that there may be.
    acting: Vec<ActReply>,
    topic: WorldTopic,
    /// Where lines need leave.
    speech: Option<Speech>,
    overheard: VecDeque<(BotId, String)>,
}

impl WorldActor {
    pub(crate) fn new(
        sim: World,
        topic: WorldTopic,
        speech: Option<Speech>,
        phase: Duration,
        mailbox: mpsc::Receiver<Command>,
        vitals: Arc<Vitals>,
    ) -> WorldActor {
        let period = Duration::from_millis(u64::from(sim.settings().tick_ms));
        WorldActor {
            sim,
            clock: TickClock::new(period, Instant::now(), phase),
            mailbox,
            vitals,
            inputs: Vec::new(),
            effects: Vec::new(),
            joining: Vec::new(),
            leaving: Vec::new(),
            acting: Vec::new(),
            topic,
            speech,
            overheard: VecDeque::new(),
        }
    }

    /// Runs until the world is ended. An empty world does not tick.
    pub(crate) async fn run(mut self, ended: CancellationToken) {
        self.topic.begin(&self.sim);
        loop {
            let due = self.clock.next();
            let ticking = !self.sim.is_empty() || !self.inputs.is_empty();
            tokio::select! {
                biased;
                () = ended.cancelled() => return,
                () = tokio::time::sleep_until(due), if ticking || self.topic.owes() => {
                    if ticking {
                        self.tick();
                    } else {
                        self.clock.ticked(Instant::now());
                        self.topic.tell(&self.sim, &[]);
                    }
                    self.breathe().await;
                }
                command = self.mailbox.recv() => match command {
                    Some(command) => self.handle(command),
                    None => return,
                },
            }
        }
    }

    /// A world whose ticks take longer than they should is due again at once. It must not keep those who ask it
    /// waiting for ever, nor its neighbours from the core.
    async fn breathe(&mut self) {
        if self.clock.next() > Instant::now() {
            return;
        }
        for _ in 0..self.mailbox.max_capacity() {
            let Ok(command) = self.mailbox.try_recv() else { break };
            self.handle(command);
        }
        tokio::task::yield_now().await;
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Join { bodies, reply } => {
                let bots = bodies.iter().map(|body| body.bot).collect();
                self.joining.push((self.inputs.len(), bots, reply));
                self.wake_with(bodies.into_iter().map(join_input));
            }
            Command::Leave { bots, reply } => {
                self.leaving.push(reply);
                self.wake_with(bots.into_iter().map(|bot| Input::Leave { bot }));
            }
            // A caller that no longer waits is no concern of the world's.
            Command::Residents { reply } => {
                let _ = reply.send(self.sim.residents().map(|resident| resident.bot).collect());
            }
            Command::Positions { reply } => {
                let _ = reply.send(self.sim.positions().map(|(bot, tile)| (bot, (tile.x, tile.y))).collect());
            }
            Command::View { reply } => {
                let _ = reply.send(self.view());
            }
            Command::Look { reply } => {
                if let Some(look) = self.topic.look(&self.sim) {
                    let _ = reply.send(look);
                }
            }
            Command::Act { bot, act, reply } => match self.too_much(bot) {
                Some(error) => {
                    let _ = reply.send(Err(error));
                }
                None => {
                    self.acting.push((self.inputs.len(), bot, reply));
                    self.wake_with(std::iter::once(act.into_input(bot)));
                }
            },
        }
    }

    fn too_much(&self, bot: BotId) -> Option<ActError> {
        let most = ACTS_OF_A_BODY * self.sim.settings().max_residents as usize;
        if self.acting.len() >= most {
            return Some(HostFault::transient("too many inputs wait for the world's next tick").into());
        }
        let waiting = self.acting.iter().filter(|(_, acting, _)| *acting == bot).count();
        (waiting >= ACTS_OF_A_BODY).then(|| ActError::Refused {
            code: "too_many_inputs",
            detail: format!("a body does at most {ACTS_OF_A_BODY} things in a tick"),
        })
    }

    /// Notes inputs for the next tick; an empty world, which has no tick to wait for, does it now.
    fn wake_with(&mut self, inputs: impl Iterator<Item = Input>) {
        let resting = self.sim.is_empty() && self.inputs.is_empty();
        self.inputs.extend(inputs);
        if resting {
            self.clock.resume(Instant::now());
        }
    }

    fn tick(&mut self) {
        self.clock.ticked(Instant::now());
        if let Some(speech) = &mut self.speech {
            speech.hear(&mut self.inputs);
        }
        self.sim.step(&self.inputs, &mut self.effects);
        // Before the answers: whoever has one finds what it says in the lists too.
        self.show_vitals();
        self.topic.tell(&self.sim, &self.effects);
        self.answer();
        if let Some(speech) = &mut self.speech {
            speech.attend(&self.sim, &mut self.effects);
        }
        self.remember();
        self.inputs.clear();
        self.effects.clear();
    }

    /// Tells those who wait what their inputs led to.
    fn answer(&mut self) {
        if !self.joining.is_empty() || !self.acting.is_empty() {
            let refused: HashMap<usize, &Refusal> = self.effects.iter().filter_map(refusal).collect();
            for (first, bots, reply) in self.joining.drain(..) {
                let outcome = |(n, bot)| match refused.get(&(first + n)) {
                    Some(refusal) => (bot, Err(turned_away(refusal))),
                    None => (bot, Ok(())),
                };
                let _ = reply.send(bots.into_iter().enumerate().map(outcome).collect());
            }
            let tick = self.sim.tick();
            for (input, _, reply) in self.acting.drain(..) {
                let outcome = refused.get(&input).map_or(Ok(tick), |refusal| Err((*refusal).into()));
                let deferred = match &mut self.speech {
                    Some(speech) if outcome.is_ok() => speech.defer(input, &self.effects, reply),
                    _ => Err(reply),
                };
                if let Err(reply) = deferred {
                    let _ = reply.send(outcome);
                }
            }
        }
        for reply in self.leaving.drain(..) {
            let _ = reply.send(());
        }
    }

    fn remember(&mut self) {
        for effect in &mut self.effects {
            if let Effect::Spoke { bot, text, .. } = effect {
                if self.overheard.len() == OVERHEARD {
                    self.overheard.pop_front();
                }
                self.overheard.push_back((*bot, std::mem::take(text)));
            }
        }
    }

    fn show_vitals(&self) {
        let vitals = &self.vitals;
        let residents = u32::try_from(self.sim.len()).unwrap_or(u32::MAX);
        let tick_us = if residents == 0 { 0 } else { self.clock.mean().as_micros() };
        vitals.tick.store(self.sim.tick(), Ordering::Relaxed);
        vitals.residents.store(residents, Ordering::Relaxed);
        vitals.tick_us.store(u64::try_from(tick_us).unwrap_or(u64::MAX), Ordering::Relaxed);
        let lagging = residents > 0 && self.clock.is_lagging();
        if lagging != vitals.lagging.swap(lagging, Ordering::Relaxed) {
            tracing::info!(lagging, tick_ms = self.clock.mean().as_millis(), "world tick rate changed");
        }
    }

    fn view(&self) -> Seen {
        let name_of = |bot: BotId| self.sim.get(bot).map_or_else(|| bot.to_string(), |r| r.name.to_owned());
        let residents = self.sim.residents().map(|resident| ResidentSummary {
            bot: resident.bot,
            name: resident.name.to_owned(),
            x: f64::from(resident.pos.x) / f64::from(arena_sim::SUBTILE),
            y: f64::from(resident.pos.y) / f64::from(arena_sim::SUBTILE),
            zone: resident.zone.and_then(|id| self.sim.map().zone(id)).map(|zone| zone.name.clone()),
            activity: match resident.activity {
                Activity::Idle => "idle".to_owned(),
                Activity::Walking { to } => format!("walking to {},{}", to.x, to.y),
                Activity::Talking { with, .. } => format!("talking to {}", name_of(with)),
                Activity::Resting { .. } => "resting".to_owned(),
                Activity::Emoting { emote, .. } => format!("{emote:?}").to_lowercase(),
            },
        });
        let overheard = self.overheard.iter().map(|(bot, text)| (name_of(*bot), text.clone()));
        (residents.collect(), overheard.collect())
    }
}

fn join_input(body: Body) -> Input {
    let brain = match body.kind {
        BodyKind::Player => BrainKind::Puppet,
        BodyKind::Bot => {
            let traits: Vec<&str> = body.traits.iter().map(String::as_str).collect();
            BrainKind::Wanderer(Persona::for_bot(body.bot, body.home_zone.as_deref(), &traits))
        }
    };
    Input::Join { bot: body.bot, name: body.name, brain, position: body.position.map(|(x, y)| Tile { x, y }) }
}

/// The input that was refused, and why.
pub(super) fn refusal(effect: &Effect) -> Option<(usize, &Refusal)> {
    if let Effect::Refused { input, reason, .. } = effect { Some((*input, reason)) } else { None }
}

/// A join that was refused, sorted.
fn turned_away(reason: &Refusal) -> HostFault {
    let (code, retryable) = match reason {
        Refusal::WorldFull { .. } => ("world_full", true),
        Refusal::Crowded => ("world_crowded", true),
        _ => ("bad_body", false),
    };
    HostFault::Refused { code, detail: reason.to_string(), retryable }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_bus::Bus;
    use arena_sim::{TownMap, WorldSettings};

    #[tokio::test]
    async fn a_world_whose_next_tick_is_due_already_answers_before_it() {
        let sim = World::new(TownMap::town(), 1, WorldSettings::default()).unwrap();
        let (mailbox, commands) = mpsc::channel(4);
        let topic = WorldTopic::new(Bus::default(), "world:a".parse().unwrap(), Arc::default());
        let mut actor = WorldActor::new(sim, topic, None, Duration::ZERO, commands, Arc::default());
        let answered = async |actor: &mut WorldActor| {
            let (reply, mut residents) = oneshot::channel();
            mailbox.try_send(Command::Residents { reply }).unwrap();
            actor.breathe().await;
            residents.try_recv().is_ok()
        };
        assert!(answered(&mut actor).await, "its first tick is due at once");
        actor.clock.ticked(Instant::now());
        assert!(!answered(&mut actor).await, "in time, it waits for its mail as ever");
    }
}
