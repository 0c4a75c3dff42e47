//! One world as an actor: a bounded mailbox, a clock, and the simulation.

use super::clock::TickClock;
use crate::host::{Body, JoinOutcome, ResidentSummary};
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
    View { reply: oneshot::Sender<Look> },
}

/// Residents, and the last lines said: who, and what.
pub(crate) type Look = (Vec<ResidentSummary>, Vec<(String, String)>);

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

/// Bodies that wait for their tick, and who waits for them.
type JoinReply = (Vec<BotId>, oneshot::Sender<Vec<JoinOutcome>>);

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
    overheard: VecDeque<(BotId, String)>,
}

impl WorldActor {
    pub(crate) fn new(
        sim: World,
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
            overheard: VecDeque::new(),
        }
    }

    /// Runs until the world is ended. An empty world does not tick.
    pub(crate) async fn run(mut self, ended: CancellationToken) {
        loop {
            let due = self.clock.next();
            let ticking = !self.sim.is_empty() || !self.inputs.is_empty();
            tokio::select! {
                biased;
                () = ended.cancelled() => return,
                () = tokio::time::sleep_until(due), if ticking => {
                    self.tick();
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
                self.joining.push((bodies.iter().map(|body| body.bot).collect(), reply));
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
        }
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
        self.sim.step(&self.inputs, &mut self.effects);
        // Before the answers: whoever has one finds what it says in the lists too.
        self.publish();
        self.answer();
        self.remember();
        self.inputs.clear();
        self.effects.clear();
    }

    /// Tells those who wait what their inputs led to.
    fn answer(&mut self) {
        if !self.joining.is_empty() {
            let refused: HashMap<BotId, HostFault> = self.effects.iter().filter_map(refusal).collect();
            for (bots, reply) in self.joining.drain(..) {
                let outcome = |bot: BotId| match refused.get(&bot) {
                    Some(fault) => (bot, Err(fault.clone())),
                    None => (bot, Ok(())),
                };
                let _ = reply.send(bots.into_iter().map(outcome).collect());
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

    fn publish(&self) {
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

    fn view(&self) -> Look {
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
    let traits: Vec<&str> = body.traits.iter().map(String::as_str).collect();
    let persona = Persona::for_bot(body.bot, body.home_zone.as_deref(), &traits);
    Input::Join {
        bot: body.bot,
        name: body.name,
        brain: BrainKind::Wanderer(persona),
        position: body.position.map(|(x, y)| Tile { x, y }),
    }
}

/// A join that was refused, sorted. Leaving a world that one is not in is what the caller wanted.
fn refusal(effect: &Effect) -> Option<(BotId, HostFault)> {
    let Effect::Refused { bot, reason, .. } = effect else { return None };
    let (code, retryable) = match reason {
        Refusal::NotHere => return None,
        Refusal::WorldFull { .. } => ("world_full", true),
        Refusal::Crowded => ("world_crowded", true),
        _ => ("bad_body", false),
    };
    Some((*bot, HostFault::Refused { code, detail: reason.to_string(), retryable }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_sim::{TownMap, WorldSettings};

    #[tokio::test]
    async fn a_world_whose_next_tick_is_due_already_answers_before_it() {
        let sim = World::new(TownMap::town(), 1, WorldSettings::default()).unwrap();
        let (mailbox, commands) = mpsc::channel(4);
        let mut actor = WorldActor::new(sim, Duration::ZERO, commands, Arc::default());
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
