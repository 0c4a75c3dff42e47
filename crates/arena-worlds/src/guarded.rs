//! A host with a deadline on every call: one that hangs is an outage, and an outage changes nothing.

use crate::act::{Act, ActError};
use crate::host::{
    Body, CreateWorld, HostedWorld, JoinOutcome, Look, WorldEvent, WorldHost, WorldSummary, WorldView,
};
use arena_core::channel::ChannelName;
use arena_core::fault::HostFault;
use arena_core::{BotId, WorldId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

/// The only way in which the rest of Arena reaches a host.
#[derive(Clone)]
pub struct GuardedHost {
    host: Arc<dyn WorldHost>,
    deadline: Duration,
}

impl std::fmt::Debug for GuardedHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardedHost").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// What a validation found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validity {
    /// The host confirms it.
    Valid(HostedWorld),
    /// The host is certain that it does not exist.
    Gone,
    /// Nothing is known; nothing may change.
    Unknown(String),
}

impl GuardedHost {
    /// Gives every call to `host` this long.
    pub fn new(host: Arc<dyn WorldHost>, deadline: Duration) -> GuardedHost {
        GuardedHost { host, deadline }
    }

    async fn within<T, E: From<HostFault>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        match tokio::time::timeout(self.deadline, call).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let detail = format!("the world host did not answer within {:?}", self.deadline);
                Err(HostFault::transient(detail).into())
            }
        }
    }

    /// See [`WorldHost::find`]. An answer for another channel makes no sense and counts as none.
    pub async fn find(&self, channel: &ChannelName) -> Result<Option<HostedWorld>, HostFault> {
        Ok(self.within(self.host.find(channel)).await?.filter(|hosted| hosted.channel == *channel))
    }

    /// See [`WorldHost::create`].
    pub async fn create(&self, request: CreateWorld) -> Result<WorldId, HostFault> {
        self.within(self.host.create(request)).await
    }

    /// See [`WorldHost::validate`]: valid, gone or unknown. A refusal is not evidence of anything.
    pub async fn validate(&self, world: &WorldId) -> Validity {
        match self.within(self.host.validate(world)).await {
            Ok(hosted) if hosted.world == *world => Validity::Valid(hosted),
            Ok(hosted) => {
                Validity::Unknown(format!("asked for world {world}, the host spoke of {}", hosted.world))
            }
            Err(HostFault::WorldGone) => Validity::Gone,
            Err(fault) => Validity::Unknown(fault.to_string()),
        }
    }

    /// See [`WorldHost::join`].
    pub async fn join(&self, world: &WorldId, bodies: Vec<Body>) -> Result<Vec<JoinOutcome>, HostFault> {
        self.within(self.host.join(world, bodies)).await
    }

    /// See [`WorldHost::leave`].
    pub async fn leave(&self, world: &WorldId, bots: &[(BotId, Option<i64>)]) -> Result<(), HostFault> {
        if bots.is_empty() { Ok(()) } else { self.within(self.host.leave(world, bots)).await }
    }

    /// See [`WorldHost::residents`].
    pub async fn residents(&self, world: &WorldId) -> Result<BTreeSet<BotId>, HostFault> {
        self.within(self.host.residents(world)).await
    }

    /// See [`WorldHost::positions`].
    pub async fn positions(&self, world: &WorldId) -> Result<Vec<(BotId, (u16, u16))>, HostFault> {
        self.within(self.host.positions(world)).await
    }

    /// See [`WorldHost::view`].
    pub async fn view(&self, world: &WorldId) -> Result<WorldView, HostFault> {
        self.within(self.host.view(world)).await
    }

    /// See [`WorldHost::look`].
    pub async fn look(&self, world: &WorldId) -> Result<Look, HostFault> {
        self.within(self.host.look(world)).await
    }

    /// See [`WorldHost::act`]. One that was not answered in time may be carried out all the same.
    pub async fn act(&self, world: &WorldId, body: BotId, act: Act) -> Result<u64, ActError> {
        self.within(self.host.act(world, body, act)).await
    }

    /// See [`WorldHost::list`].
    pub async fn list(&self) -> Result<Vec<WorldSummary>, HostFault> {
        self.within(self.host.list()).await
    }

    /// See [`WorldHost::destroy`].
    pub async fn destroy(&self, world: &WorldId) -> Result<(), HostFault> {
        self.within(self.host.destroy(world)).await
    }

    /// See [`WorldHost::events`].
    pub fn events(&self) -> broadcast::Receiver<WorldEvent> {
        self.host.events()
    }
}
