//! World hosts for benchmarks: the native one with the town, and one that does not answer.

use anyhow::Context;
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
use std::collections::BTreeSet;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// The native host as the server runs it, on the town.
pub fn native() -> anyhow::Result<NativeHost> {
    let settings = NativeSettings {
        map: TownMap::town(),
        world: WorldSettings::default(),
        mailbox: 64,
        seed: 1,
        bus: Bus::default(),
        talk: None,
    };
    NativeHost::new(settings).context("start the world host")
}

/// Assignments can be measured over it without the worlds' own work: every call waits until the host is released, then fails as an outage does.
#[derive(Debug)]
pub struct PausedHost {
    released: CancellationToken,
    events: broadcast::Sender<WorldEvent>,
}

impl PausedHost {
    /// A host that waits for `released`.
    pub fn new(released: CancellationToken) -> PausedHost {
        PausedHost { released, events: broadcast::Sender::new(1) }
    }

    async fn never<T>(&self) -> Result<T, HostFault> {
        self.released.cancelled().await;
        Err(HostFault::transient("the benchmark is over"))
    }
}

#[async_trait]
impl WorldHost for PausedHost {
    async fn find(&self, _: &ChannelName) -> Result<Option<HostedWorld>, HostFault> {
        self.never().await
    }

    async fn create(&self, _: CreateWorld) -> Result<WorldId, HostFault> {
        self.never().await
    }

    async fn validate(&self, _: &WorldId) -> Result<HostedWorld, HostFault> {
        self.never().await
    }

    async fn join(&self, _: &WorldId, _: Vec<Body>) -> Result<Vec<JoinOutcome>, HostFault> {
        self.never().await
    }

    async fn leave(&self, _: &WorldId, _: &[(BotId, Option<i64>)]) -> Result<(), HostFault> {
        self.never().await
    }

    async fn residents(&self, _: &WorldId) -> Result<BTreeSet<BotId>, HostFault> {
        self.never().await
    }

    async fn positions(&self, _: &WorldId) -> Result<Vec<(BotId, (u16, u16))>, HostFault> {
        self.never().await
    }

    async fn view(&self, _: &WorldId) -> Result<WorldView, HostFault> {
        self.never().await
    }

    async fn look(&self, _: &WorldId) -> Result<Look, HostFault> {
        self.never().await
    }

    async fn act(&self, _: &WorldId, _: BotId, _: Act) -> Result<u64, ActError> {
        Ok(self.never().await?)
    }

    async fn list(&self) -> Result<Vec<WorldSummary>, HostFault> {
        self.never().await
    }

    async fn destroy(&self, _: &WorldId) -> Result<(), HostFault> {
        self.never().await
    }

    fn events(&self) -> broadcast::Receiver<WorldEvent> {
        self.events.subscribe()
    }
}
