//! A world host that fails, hangs and lies as it is told, for one channel or for all.

use arena_bus::Bus;
use arena_core::channel::ChannelName;
use arena_core::fault::HostFault;
use arena_core::{BotId, WorldId};
use arena_sim::{TownMap, WorldSettings};
use arena_worlds::native::{NativeHost, NativeSettings};
use arena_worlds::{
    Act, ActError, Body, CreateWorld, HostedWorld, JoinOutcome, Look, WorldEvent, WorldHost, WorldSummary,
    WorldView,
};
use async_trait::async_trait;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, broadcast};

/// What can be asked of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Find,
    Create,
    Validate,
    Join,
    Leave,
    Residents,
    Positions,
    View,
    Look,
    Act,
    List,
    Destroy,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Answers with this HTTP status and does nothing.
    Status(u16),
    /// Does nothing and never answers.
    Hang,
    /// Does what it is asked, and never answers.
    AnswerLost,
    /// Takes longer.
    Slow(Duration),
    /// Waits until the semaphore lets it through.
    Hold(Arc<Semaphore>),
    /// Says that the world is gone.
    SaysGone,
    /// Says that a world exists which does not.
    SaysValid,
    /// Names the world of that other channel for this one.
    Names(ChannelName),
    /// Reports residents that are not there.
    Shows(BTreeSet<BotId>),
    /// Does not report residents that are there.
    Hides(BTreeSet<BotId>),
    /// Says that it let everybody in, and did not.
    Pretends,
    /// Says nothing about anybody.
    Forgets,
    /// Refuses each body.
    Refuses {
        retryable: bool,
    },
    Panic,
}

#[derive(Debug)]
struct Rule {
    calls: Vec<Call>,
    channel: Option<ChannelName>,
    fault: Fault,
}

/// Wraps the native host. Clones share faults and worlds.
#[derive(Debug, Clone)]
pub(crate) struct FaultyHost {
    pub(crate) native: NativeHost,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    rules: Mutex<Vec<Rule>>,
    /// Which channel each world was created for, the dead ones too.
    channels: Mutex<HashMap<WorldId, ChannelName>>,
    /// Calls so far of each channel.
    counts: Mutex<HashMap<ChannelName, u64>>,
    /// Who was to be let in, and when.
    joins: Mutex<Vec<(BotId, Instant)>>,
    /// Where events are told, instead of the native host's.
    events: Option<broadcast::Sender<WorldEvent>>,
}

impl FaultyHost {
    pub(crate) fn new() -> FaultyHost {
        FaultyHost::with_events(None)
    }

    /// A host whose events are those that are sent here, and no others.
    pub(crate) fn telling(events: broadcast::Sender<WorldEvent>) -> FaultyHost {
        FaultyHost::with_events(Some(events))
    }

    fn with_events(events: Option<broadcast::Sender<WorldEvent>>) -> FaultyHost {
        let world = WorldSettings { tick_ms: 20, ..WorldSettings::default() };
        let settings = NativeSettings {
            map: TownMap::town(),
            world,
            mailbox: 256,
            seed: 7,
            bus: Bus::default(),
            talk: None,
        };
        let shared = Shared {
            rules: Mutex::default(),
            channels: Mutex::default(),
            counts: Mutex::default(),
            joins: Mutex::default(),
            events,
        };
        FaultyHost { native: NativeHost::new(settings).unwrap(), shared: Arc::new(shared) }
    }

    /// From now on these calls of this channel (all calls, all channels) go wrong; of several faults the last counts.
    pub(crate) fn fail(&self, calls: &[Call], channel: Option<&str>, fault: Fault) {
        let channel = channel.map(|channel| channel.parse().unwrap());
        lock(&self.shared.rules).push(Rule { calls: calls.to_vec(), channel, fault });
    }

    /// From now on all is well.
    pub(crate) fn mend(&self) {
        lock(&self.shared.rules).clear();
    }

    /// Calls so far of a channel.
    pub(crate) fn counted(&self, channel: &str) -> u64 {
        lock(&self.shared.counts).get(&channel.parse().unwrap()).copied().unwrap_or_default()
    }

    /// Calls so far of all channels.
    pub(crate) fn counted_all(&self) -> u64 {
        lock(&self.shared.counts).values().sum()
    }

    /// When that bot was to be let in.
    pub(crate) fn joins_of(&self, bot: BotId) -> Vec<Instant> {
        lock(&self.shared.joins).iter().filter(|(joined, _)| *joined == bot).map(|(_, at)| *at).collect()
    }

    fn channel_of(&self, world: &WorldId) -> Option<ChannelName> {
        lock(&self.shared.channels).get(world).cloned()
    }

    fn fault(&self, call: Call, channel: Option<&ChannelName>) -> Option<Fault> {
        if let Some(channel) = channel {
            *lock(&self.shared.counts).entry(channel.clone()).or_default() += 1;
        }
        let concerns = |rule: &&Rule| {
            (rule.calls.is_empty() || rule.calls.contains(&call))
                && (rule.channel.is_none() || rule.channel.as_ref() == channel)
        };
        lock(&self.shared.rules).iter().rev().find(concerns).map(|rule| rule.fault.clone())
    }

    /// Does a call under its fault, as far as that is the same for every call. Lies are left to the caller.
    async fn under<T, E: From<HostFault>>(
        &self,
        fault: Option<&Fault>,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match fault {
            Some(Fault::Status(status)) => {
                Err(HostFault::from_http_status(*status, "the host has a fault").into())
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::AnswerLost) => {
                let _ = call.await;
                std::future::pending().await
            }
            Some(Fault::Slow(delay)) => {
                tokio::time::sleep(*delay).await;
                call.await
            }
            Some(Fault::Hold(gate)) => {
                let _passed = gate.acquire().await.unwrap();
                call.await
            }
            Some(Fault::SaysGone) => Err(HostFault::WorldGone.into()),
            Some(Fault::Panic) => panic!("as the test wants it"),
            _ => call.await,
        }
    }

    async fn world_of(&self, channel: &ChannelName) -> WorldId {
        self.native.find(channel).await.unwrap().expect("the other channel has a world").world
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

#[async_trait]
impl WorldHost for FaultyHost {
    async fn find(&self, channel: &ChannelName) -> Result<Option<HostedWorld>, HostFault> {
        let fault = self.fault(Call::Find, Some(channel));
        if let Some(Fault::Names(other)) = &fault {
            let world = self.world_of(other).await;
            return Ok(Some(HostedWorld { world, channel: channel.clone(), epoch: 1 }));
        }
        self.under(fault.as_ref(), self.native.find(channel)).await
    }

    async fn create(&self, request: CreateWorld) -> Result<WorldId, HostFault> {
        let channel = request.channel.clone();
        let fault = self.fault(Call::Create, Some(&channel));
        if let Some(Fault::Names(other)) = &fault {
            return Ok(self.world_of(other).await);
        }
        let create = async {
            let world = self.native.create(request).await?;
            lock(&self.shared.channels).insert(world.clone(), channel);
            Ok(world)
        };
        self.under(fault.as_ref(), create).await
    }

    async fn validate(&self, world: &WorldId) -> Result<HostedWorld, HostFault> {
        let channel = self.channel_of(world);
        let fault = self.fault(Call::Validate, channel.as_ref());
        if let (Some(Fault::SaysValid), Some(channel)) = (&fault, channel) {
            return Ok(HostedWorld { world: world.clone(), channel, epoch: 1 });
        }
        self.under(fault.as_ref(), self.native.validate(world)).await
    }

    async fn join(&self, world: &WorldId, bodies: Vec<Body>) -> Result<Vec<JoinOutcome>, HostFault> {
        let fault = self.fault(Call::Join, self.channel_of(world).as_ref());
        let now = Instant::now();
        lock(&self.shared.joins).extend(bodies.iter().map(|body| (body.bot, now)));
        let each = |outcome: Result<(), HostFault>| {
            bodies.iter().map(|body| (body.bot, outcome.clone())).collect::<Vec<_>>()
        };
        match &fault {
            Some(Fault::Pretends) => Ok(each(Ok(()))),
            Some(Fault::Forgets) => Ok(Vec::new()),
            Some(Fault::Refuses { retryable }) => Ok(each(Err(HostFault::Refused {
                code: "world_full",
                detail: "the town is full".to_owned(),
                retryable: *retryable,
            }))),
            _ => self.under(fault.as_ref(), self.native.join(world, bodies)).await,
        }
    }

    async fn leave(&self, world: &WorldId, bots: &[(BotId, Option<i64>)]) -> Result<(), HostFault> {
        let fault = self.fault(Call::Leave, self.channel_of(world).as_ref());
        self.under(fault.as_ref(), self.native.leave(world, bots)).await
    }

    async fn residents(&self, world: &WorldId) -> Result<BTreeSet<BotId>, HostFault> {
        let fault = self.fault(Call::Residents, self.channel_of(world).as_ref());
        let mut residents = self.under(fault.as_ref(), self.native.residents(world)).await?;
        match fault {
            Some(Fault::Shows(more)) => residents.extend(more),
            Some(Fault::Hides(hidden)) => residents.retain(|bot| !hidden.contains(bot)),
            _ => {}
        }
        Ok(residents)
    }

    async fn positions(&self, world: &WorldId) -> Result<Vec<(BotId, (u16, u16))>, HostFault> {
        let fault = self.fault(Call::Positions, None);
        self.under(fault.as_ref(), self.native.positions(world)).await
    }

    async fn view(&self, world: &WorldId) -> Result<WorldView, HostFault> {
        let fault = self.fault(Call::View, self.channel_of(world).as_ref());
        self.under(fault.as_ref(), self.native.view(world)).await
    }

    async fn look(&self, world: &WorldId) -> Result<Look, HostFault> {
        let fault = self.fault(Call::Look, self.channel_of(world).as_ref());
        self.under(fault.as_ref(), self.native.look(world)).await
    }

    async fn act(&self, world: &WorldId, body: BotId, act: Act) -> Result<u64, ActError> {
        let fault = self.fault(Call::Act, self.channel_of(world).as_ref());
        self.under(fault.as_ref(), self.native.act(world, body, act)).await
    }

    async fn list(&self) -> Result<Vec<WorldSummary>, HostFault> {
        let fault = self.fault(Call::List, None);
        self.under(fault.as_ref(), self.native.list()).await
    }

    async fn destroy(&self, world: &WorldId) -> Result<(), HostFault> {
        let fault = self.fault(Call::Destroy, self.channel_of(world).as_ref());
        self.under(fault.as_ref(), self.native.destroy(world)).await
    }

    fn events(&self) -> broadcast::Receiver<WorldEvent> {
        match &self.shared.events {
            Some(events) => events.subscribe(),
            None => self.native.events(),
        }
    }
}
