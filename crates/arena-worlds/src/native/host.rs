//! The native host: starts, finds and ends world actors.

use super::actor::{Command, Vitals, WorldActor};
use super::license::License;
use super::residency::Residency;
use super::speech::Speech;
use super::topic::WorldTopic;
use crate::act::{Act, ActError};
use crate::host::{
    Body, CreateWorld, HostedWorld, JoinOutcome, Look, ResidentSummary, WorldEvent, WorldHost, WorldSummary,
    WorldView,
};
use crate::talk::Talk;
use arena_bus::Bus;
use arena_core::channel::ChannelName;
use arena_core::fault::HostFault;
use arena_core::topic::TopicName;
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
    /// Where worlds publish what happens in them, as far as somebody watches.
    pub bus: Bus,
    /// Where what residents say is charged and kept before it is heard; `None`: it is heard at once, and kept nowhere.
    /// It decides [`WorldSettings::asks_before_talk`].
    pub talk: Option<Arc<dyn Talk>>,
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
    license: Arc<License>,
    ended: CancellationToken,
}

impl Handle {
    fn send(&self, command: Command) -> Result<(), HostFault> {
        self.mailbox.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => HostFault::transient("the world's mailbox is full"),
            mpsc::error::TrySendError::Closed(_) => HostFault::WorldGone,
        })
    }
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
        let (reply, answer) = oneshot::channel();
        self.handle(world)?.send(command(reply))?;
        answer.await.map_err(|_| HostFault::WorldGone)
    }

    /// A world that is not running yet, and what runs it.
    fn prepare(&self, request: CreateWorld) -> Result<(Handle, WorldActor), HostFault> {
        let settings = &self.inner.settings;
        let hosted = HostedWorld { world: new_world_id(), channel: request.channel, epoch: request.epoch };
        let seed = seed_of(settings.seed, &hosted);
        let rules = WorldSettings { asks_before_talk: settings.talk.is_some(), ..settings.world.clone() };
        let sim = World::new(Arc::clone(&settings.map), seed, rules).map_err(|error| HostFault::Refused {
            code: "bad_world",
            detail: error.to_string(),
            retryable: false,
        })?;
        let (mailbox, commands) = mpsc::channel(settings.mailbox.max(1));
        let vitals = Arc::new(Vitals::default());
        // Worlds tick at different moments, so that they do not all want the cores at once.
        let phase = Duration::from_millis(seed % u64::from(settings.world.tick_ms));
        let license = Arc::new(License::default());
        let name = TopicName::of_world(&hosted.channel);
        let topic = WorldTopic::new(settings.bus.clone(), name, Arc::clone(&license));
        let speech = settings.talk.as_ref().map(|talk| Speech::new(Arc::clone(talk), hosted.clone()));
        let actor = WorldActor::new(sim, topic, speech, phase, commands, Arc::clone(&vitals));
        let ended = self.inner.shutdown.child_token();
        Ok((Handle { hosted, mailbox, vitals, license, ended }, actor))
    }

    fn run(&self, handle: &Handle, actor: WorldActor) {
        let guard = ExitGuard { host: Arc::downgrade(&self.inner), hosted: handle.hosted.clone() };
        let run = actor.run(handle.ended.clone());
        self.inner.tasks.spawn(async move {
            let _guard = guard;
            run.await;
        });
    }
}

impl Inner {
    fn read(&self) -> std::sync::RwLockReadGuard<'_, Registry> {
        self.worlds.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Registry> {
        self.worlds.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a world on the register, unless one of the same or a newer epoch runs for its channel. Returns the older
    /// one that it takes the place of.
    fn register(&self, handle: &Handle) -> Result<Option<WorldId>, HostFault> {
        let mut worlds = self.write();
        let hosted = &handle.hosted;
        let older = worlds.by_channel.get(&hosted.channel).and_then(|world| worlds.by_id.get(world));
        if older.is_some_and(|older| older.hosted.epoch >= hosted.epoch) {
            let detail = "a world of a newer epoch runs for this channel".to_owned();
            return Err(HostFault::Refused { code: "stale_epoch", detail, retryable: true });
        }
        worlds.by_id.insert(hosted.world.clone(), handle.clone());
        Ok(worlds.by_channel.insert(hosted.channel.clone(), hosted.world.clone()))
    }

    /// Takes a world off the register and ends it. It publishes nothing more from the moment on that it is off, and
    /// the register is not locked while that is waited for: a publication goes through code of whoever watches.
    fn unregister(&self, world: &WorldId) {
        let license = self.read().by_id.get(world).map(|handle| Arc::clone(&handle.license));
        license.iter().for_each(|license| license.revoke());
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
        let (handle, actor) = self.prepare(request)?;
        // On the register before it runs: an actor that ended before would be on it for ever.
        let older = self.inner.register(&handle)?;
        // Before the new one runs: what the older world still publishes comes before the new one's first word.
        if let Some(older) = older {
            self.inner.unregister(&older);
        }
        self.run(&handle, actor);
        Ok(handle.hosted.world)
    }

    async fn validate(&self, world: &WorldId) -> Result<HostedWorld, HostFault> {
        Ok(self.handle(world)?.hosted)
    }

    async fn join(&self, world: &WorldId, bodies: Vec<Body>) -> Result<Vec<JoinOutcome>, HostFault> {
        let handle = self.handle(world)?;
        let inner = &self.inner;
        inner.residency.prune(|world| inner.read().by_id.contains_key(world));
        for (elsewhere, bots) in inner.residency.elsewhere(&bodies, world) {
            // Whoever does not get out is refused below; from a world that is gone, the body is gone too.
            let _ = self.leave(&elsewhere, &bots).await;
        }
        let mut answer = None;
        let mut outcomes = inner.residency.enter(bodies, world, |bodies| {
            let (reply, joined) = oneshot::channel();
            answer = Some(joined);
            handle.send(Command::Join { bodies, reply })
        })?;
        if let Some(joined) = answer {
            outcomes.extend(joined.await.map_err(|_| HostFault::WorldGone)?);
        }
        Ok(outcomes)
    }

    async fn leave(&self, world: &WorldId, bots: &[(BotId, Option<i64>)]) -> Result<(), HostFault> {
        let residency = &self.inner.residency;
        let Ok(handle) = self.handle(world) else {
            residency.left(&residency.call_out(bots, world, |_| Ok(()))?);
            return Err(HostFault::WorldGone);
        };
        let (reply, done) = oneshot::channel();
        let leaving = residency.call_out(bots, world, |bots| handle.send(Command::Leave { bots, reply }))?;
        // A world that has ended has no bodies left.
        let outcome = done.await.map_err(|_| HostFault::WorldGone);
        residency.left(&leaving);
        outcome
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

    async fn look(&self, world: &WorldId) -> Result<Look, HostFault> {
        self.ask(world, |reply| Command::Look { reply }).await?
    }

    async fn act(&self, world: &WorldId, body: BotId, act: Act) -> Result<u64, ActError> {
        self.ask(world, |reply| Command::Act { bot: body, act, reply }).await?
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
