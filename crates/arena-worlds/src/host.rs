//! What the control plane asks of whatever runs worlds.

use crate::act::{Act, ActError};
use arena_bus::Position;
use arena_core::channel::ChannelName;
use arena_core::fault::HostFault;
use arena_core::{BotId, WorldId};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeSet;
use tokio::sync::broadcast;

/// A world to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateWorld {
    /// For which channel. A host runs at most one world for each.
    pub channel: ChannelName,
    /// The placement's epoch. A host ends a world of the channel with an older epoch, and refuses to create one
    /// when it runs a newer.
    pub epoch: i64,
}

/// A world that a host runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedWorld {
    /// Its id.
    pub world: WorldId,
    /// The channel it was created for.
    pub channel: ChannelName,
    /// The epoch it was created under.
    pub epoch: i64,
}

/// Whose body it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyKind {
    /// A bot's: it steers itself.
    #[default]
    Bot,
    /// A player's: it does what it is told, see [`WorldHost::act`].
    Player,
}

/// A body, about to enter a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The bot, or the player under the id that its body has.
    pub bot: BotId,
    /// Whose body it is.
    pub kind: BodyKind,
    /// The epoch of its assignment; a host refuses one that is older than the newest it has seen of this bot.
    pub epoch: i64,
    /// Its name.
    pub name: String,
    /// The zone it calls home.
    pub home_zone: Option<String>,
    /// Words that steer its behaviour.
    pub traits: Vec<String>,
    /// The tile it last stood on.
    pub position: Option<(u16, u16)>,
}

/// A world in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldSummary {
    /// What it is and for which channel.
    pub hosted: HostedWorld,
    /// How many residents it has.
    pub residents: u32,
    /// Ticks since it was created.
    pub tick: u64,
    /// How long a tick should be, in milliseconds.
    pub tick_ms: u32,
    /// How long a tick really is of late, in milliseconds; 0 while the world is empty and does not tick.
    pub tick_ms_actual: f64,
    /// Whether it ticks slower than it should.
    pub lagging: bool,
}

/// A resident in a view.
#[derive(Debug, Clone, PartialEq)]
pub struct ResidentSummary {
    /// Whose body it is.
    pub bot: BotId,
    /// Its name.
    pub name: String,
    /// Where it is, in tiles from the left.
    pub x: f64,
    /// Where it is, in tiles from the top.
    pub y: f64,
    /// The zone it is in.
    pub zone: Option<String>,
    /// What it does, in a word or two.
    pub activity: String,
}

/// A world looked into.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldView {
    /// What it is.
    pub summary: WorldSummary,
    /// Everyone in it.
    pub residents: Vec<ResidentSummary>,
    /// The last lines that were said, oldest first: who, and what.
    pub overheard: Vec<(String, String)>,
}

/// A world as the viewers of its topic draw it, and where its topic went on from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// JSON, described in `docs/realtime.md`.
    pub snapshot: Bytes,
    /// Of the topic of the world's channel: whatever happens after the snapshot is published after this position.
    pub position: Position,
}

/// Something a host tells by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldEvent {
    /// A world has ended, for whatever reason.
    Gone(HostedWorld),
}

/// What one body met with on its way in.
pub type JoinOutcome = (BotId, Result<(), HostFault>);

/// Runs worlds. Every fault is sorted into [`HostFault`] here, at the adapter, and nowhere else.
#[async_trait]
pub trait WorldHost: Send + Sync + 'static {
    /// The world that is run for this channel, if there is one.
    async fn find(&self, channel: &ChannelName) -> Result<Option<HostedWorld>, HostFault>;

    /// Creates a world.
    async fn create(&self, request: CreateWorld) -> Result<WorldId, HostFault>;

    /// What the world is; [`HostFault::WorldGone`] only if it certainly does not exist.
    async fn validate(&self, world: &WorldId) -> Result<HostedWorld, HostFault>;

    /// Puts bodies into a world, each with an outcome of its own.
    async fn join(&self, world: &WorldId, bodies: Vec<Body>) -> Result<Vec<JoinOutcome>, HostFault>;

    /// Takes bodies out of a world, through its engine; one that is not there is no fault. With an epoch, the bot
    /// may not enter any world under an older one from now on, and a body that entered under a newer one stays.
    async fn leave(&self, world: &WorldId, bots: &[(BotId, Option<i64>)]) -> Result<(), HostFault>;

    /// Who is in a world.
    async fn residents(&self, world: &WorldId) -> Result<BTreeSet<BotId>, HostFault>;

    /// Where everyone in a world stands, as tiles.
    async fn positions(&self, world: &WorldId) -> Result<Vec<(BotId, (u16, u16))>, HostFault>;

    /// Looks into a world.
    async fn view(&self, world: &WorldId) -> Result<WorldView, HostFault>;

    /// Takes a snapshot for viewers between two ticks. From there on the world publishes what happens in it, at least
    /// until nobody watches its topic any more.
    async fn look(&self, world: &WorldId) -> Result<Look, HostFault>;

    /// Has a body do something; answered after the tick that carried it out, with that tick.
    async fn act(&self, world: &WorldId, body: BotId, act: Act) -> Result<u64, ActError>;

    /// Every world there is.
    async fn list(&self) -> Result<Vec<WorldSummary>, HostFault>;

    /// Ends a world at once, as a crash would; one that does not exist is no fault.
    async fn destroy(&self, world: &WorldId) -> Result<(), HostFault>;

    /// Tells of worlds that end. A listener that falls behind is told so by the channel and must look for itself.
    fn events(&self) -> broadcast::Receiver<WorldEvent>;
}
