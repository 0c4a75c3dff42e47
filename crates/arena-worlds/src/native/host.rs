//! The native host: starts, finds and ends world actors.

use super::actor::{Command, Vitals, WorldActor};
use super::residency::{Claim, Residency};
use crate::host::{
    Body, CreateWorld, HostedWorld, JoinOutcome, ResidentSummary, WorldEvent, WorldHost, WorldSummary,
    WorldView,
};
use arena_core::channel::ChannelName;
use arena_core::fault::HostFault;
use arena_core::{BotId, WorldId};
use arena_sim::{SettingsError, TownMap, World, WorldSettings};
use async_trait::async_trait;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How worlds are run here.
#[derive(Debug, Clone)]
pub struct NativeSettings {
    /// The map of every world.
    pub map: Arc<TownMap>,
    /// Tick, limits and timeouts of every world.
    pub world: WorldSettings,
    /// Commands that a world's mailbox holds; a call that finds it full is refused as transient.
    pub mailbox: usize,
    /// Where randomness comes from: the same seed, channels and inputs give the same worlds.
    pub seed: u64,
}

/// Events that a slow listener may fall behind; then it is told so and looks for itself.
const EVENTS: usize = 4_096;

/// Runs worlds as actors of this process. Clones share them.
#[derive(Debug, Clone)]
pub struct NativeHost {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: NativeSettings,
    worlds: RwLock<Registry>,
    residency: Residency,
    events: broadcast::Sender<WorldEvent>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

#[derive(Debug, Default)]
struct Registry {
    by_id: HashMap<WorldId, Handle>,
    by_channel: HashMap<ChannelName, WorldId>,
}

/// The only door to a world.
#[derive(Debug, Clone)]
struct Handle {
    hosted: HostedWorld,
    mailbox: mpsc::Sender<Command>,
    vitals: Arc<Vitals>,
    ended: CancellationToken,
}

/// Takes a world off the register when its actor ends, however it ends, and tells so.
struct ExitGuard {
    host: Weak<Inner>,
    hosted: HostedWorld,
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        if let Some(host) = self.host.upgrade() {
            host.unregister(&self.hosted.world);
            // Nobody listens during start-up and shutdown.
            let _ = host.events.send(WorldEvent::Gone(self.hosted.clone()));
        }
    }
}

impl NativeHost {
    /// A host without worlds. Settings that no world could run with are refused.
    pub fn new(settings: NativeSettings) -> Result<NativeHost, SettingsError> {
        settings.world.validate(&settings.map)?;
        let inner = Inner {
            settings,
            worlds: RwLock::default(),
            residency: Residency::default(),
            events: broadcast::Sender::new(EVENTS),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        };
        Ok(NativeHost { inner: Arc::new(inner) })
    }

    /// Ends every world and waits for its actor.
    pub async fn shutdown(&self) {
        self.inner.shutdown.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    fn handle(&self, world: &WorldId) -> Result<Handle, HostFault> {
        self.inner.read().by_id.get(world).cloned().ok_or(HostFault::WorldGone)
    }

    /// Asks a world and waits for the answer. A full mailbox is overload; a world that ends meanwhile is gone.
    async fn ask<T>(
        &self,
        world: &WorldId,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, HostFault> {
        let handle = self.handle(world)?;
        let (reply, answer) = oneshot::channel();
        handle.mailbox.try_send(command(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => HostFault::transient("the world's mailbox is full"),
            mpsc::error::TrySendError::Closed(_) => HostFault::WorldGone,
        })?;
        answer.await.map_err(|_| HostFault::WorldGone)
    }

    fn start(&self, request: &CreateWorld) -> Result<Handle, HostFault> {
        let settings = &self.inner.settings;
        let hosted =
            HostedWorld { world: new_world_id(), channel: request.channel.clone(), epoch: request.epoch };
        let seed = seed_of(settings.seed, &hosted);
        let sim = World::new(Arc::clone(&settings.map), seed, settings.world.clone()).map_err(|error| {
            HostFault::Refused { code: "bad_world", detail: error.to_string(), retryable: false }
        })?;
        let (mailbox, commands) = mpsc::channel(settings.mailbox.max(1));
        let vitals = Arc::new(Vitals::default());
        // Worlds tick at different moments, so that they do not all want the cores at once.
        let phase = Duration::from_millis(seed % u64::from(settings.world.tick_ms));
        let actor = WorldActor::new(sim, phase, commands, Arc::clone(&vitals));
        let ended = self.inner.shutdown.child_token();
        let guard = ExitGuard { host: Arc::downgrade(&self.inner), hosted: hosted.clone() };
        let run = actor.run(ended.clone());
        self.inner.tasks.spawn(async move {
            let _guard = guard;
            run.await;
        });
        Ok(Handle { hosted, mailbox, vitals, ended })
    }
}

impl Inner {
    fn read(&self) -> std::sync::RwLockReadGuard<'_, Registry> {
        self.worlds.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Registry> {
        self.worlds.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a world off the register and ends it.
    fn unregister(&self, world: &WorldId) {
        let mut worlds = self.write();
        let Some(handle) = worlds.by_id.remove(world) else { return };
        if worlds.by_channel.get(&handle.hosted.channel) == Some(world) {
            worlds.by_channel.remove(&handle.hosted.channel);
        }
        handle.ended.cancel();
    }
}

#[async_trait]
impl WorldHost for NativeHost {
    async fn find(&self, channel: &ChannelName) -> Result<Option<HostedWorld>, HostFault> {
        let worlds = self.inner.read();
        let world = worlds.by_channel.get(channel).and_then(|world| worlds.by_id.get(world));
        Ok(world.map(|handle| handle.hosted.clone()))
    }

    async fn create(&self, request: CreateWorld) -> Result<WorldId, HostFault> {
        if self.inner.shutdown.is_cancelled() {
            return Err(HostFault::transient("the world host is shutting down"));
        }
        let handle = self.start(&request)?;
        let mut worlds = self.inner.write();
        let older =
            worlds.by_channel.get(&request.channel).and_then(|world| worlds.by_id.get(world)).cloned();
        if older.as_ref().is_some_and(|older| older.hosted.epoch >= request.epoch) {
            drop(worlds);
            handle.ended.cancel();
            let detail = "a world of a newer epoch runs for this channel".to_owned();
            return Err(HostFault::Refused { code: "stale_epoch", detail, retryable: true });
        }
        let world = handle.hosted.world.clone();
        worlds.by_channel.insert(request.channel, world.clone());
        worlds.by_id.insert(world.clone(), handle);
        drop(worlds);
        if let Some(older) = older {
            self.inner.unregister(&older.hosted.world);
        }
        Ok(world)
    }

    async fn validate(&self, world: &WorldId) -> Result<HostedWorld, HostFault> {
        Ok(self.handle(world)?.hosted)
    }

    async fn join(&self, world: &WorldId, bodies: Vec<Body>) -> Result<Vec<JoinOutcome>, HostFault> {
        self.handle(world)?;
        let mut outcomes = Vec::new();
        let mut entering = Vec::new();
        for body in bodies {
            match self.inner.residency.claim(body.bot, body.epoch, world) {
                Claim::Enter => entering.push(body),
                Claim::EnterFrom(elsewhere) => {
                    // The one thing that may fail here is that the other world is gone, and the body with it.
                    let _ =
                        self.ask(&elsewhere, |reply| Command::Leave { bots: vec![body.bot], reply }).await;
                    entering.push(body);
                }
                Claim::Stale => {
                    let detail = "a newer assignment of the bot is known".to_owned();
                    let fault = HostFault::Refused { code: "stale_assignment", detail, retryable: true };
                    outcomes.push((body.bot, Err(fault)));
                }
            }
        }
        if !entering.is_empty() {
            outcomes.extend(self.ask(world, |reply| Command::Join { bodies: entering, reply }).await?);
        }
        Ok(outcomes)
    }

    async fn leave(&self, world: &WorldId, bots: &[(BotId, Option<i64>)]) -> Result<(), HostFault> {
        let release = |(bot, epoch): &(BotId, Option<i64>)| self.inner.residency.release(*bot, *epoch, world);
        let bots: Vec<BotId> = bots.iter().filter(|entry| release(entry)).map(|(bot, _)| *bot).collect();
        self.ask(world, |reply| Command::Leave { bots, reply }).await
    }

    async fn residents(&self, world: &WorldId) -> Result<BTreeSet<BotId>, HostFault> {
        self.ask(world, |reply| Command::Residents { reply }).await
    }

    async fn positions(&self, world: &WorldId) -> Result<Vec<(BotId, (u16, u16))>, HostFault> {
        self.ask(world, |reply| Command::Positions { reply }).await
    }

    async fn view(&self, world: &WorldId) -> Result<WorldView, HostFault> {
        let handle = self.handle(world)?;
        let (residents, overheard): (Vec<ResidentSummary>, _) =
            self.ask(world, |reply| Command::View { reply }).await?;
        Ok(WorldView { summary: summary(&handle, &self.inner.settings.world), residents, overheard })
    }

    async fn list(&self) -> Result<Vec<WorldSummary>, HostFault> {
        let settings = &self.inner.settings.world;
        let mut worlds: Vec<_> =
            self.inner.read().by_id.values().map(|handle| summary(handle, settings)).collect();
        worlds.sort_by(|a, b| a.hosted.world.cmp(&b.hosted.world));
        Ok(worlds)
    }

    async fn destroy(&self, world: &WorldId) -> Result<(), HostFault> {
        self.inner.unregister(world);
        let worlds = self.inner.read().by_id.len();
        if worlds == 0 {
            let inner = &self.inner;
            inner.residency.prune(|world| inner.read().by_id.contains_key(world));
        }
        Ok(())
    }

    fn events(&self) -> broadcast::Receiver<WorldEvent> {
        self.inner.events.subscribe()
    }
}

fn summary(handle: &Handle, settings: &WorldSettings) -> WorldSummary {
    let vitals = &handle.vitals;
    WorldSummary {
        hosted: handle.hosted.clone(),
        residents: vitals.residents.load(Ordering::Relaxed),
        tick: vitals.tick.load(Ordering::Relaxed),
        tick_ms: settings.tick_ms,
        tick_ms_actual: vitals.tick_us.load(Ordering::Relaxed) as f64 / 1_000.0,
        lagging: vitals.lagging.load(Ordering::Relaxed),
    }
}

fn new_world_id() -> WorldId {
    format!("w-{}", uuid::Uuid::now_v7().simple()).parse().expect("invariant: a UUID is a valid world id")
}

/// A seed of its own for each life of a channel's world.
fn seed_of(seed: u64, hosted: &HostedWorld) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, hosted.channel.as_str(), hosted.epoch).hash(&mut hasher);
    hasher.finish()
}
