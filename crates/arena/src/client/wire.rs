//! The API's objects as docs/rest.md has them. Fields that a newer server adds are passed over.

mod conversations;
mod matchmaking;

pub use conversations::{
    Amounts, Budget, Capacity, Caps, Conversation, Line, Log, Receipt, Share, SharedBudget,
};
pub use matchmaking::{Game, Match, Queue, Report, Ticket, Tournament};

use arena_core::channel::{ChannelKind, Status};
use arena_core::health::StateCounts;
use serde::Deserialize;
use serde_json::Value;

/// A channel.
#[derive(Debug, Clone, Deserialize)]
pub struct Channel {
    /// Unique name.
    pub name: String,
    /// The group it is a shard of.
    pub group: String,
    /// Its number in the group.
    pub shard: u32,
    /// What it is for.
    pub kind: ChannelKind,
    /// What it is now.
    pub status: Status,
    /// The region it is bound to.
    pub region: Option<String>,
    /// Its limit.
    pub max_bots: u32,
    /// Bots assigned.
    pub bots: u32,
    /// Players with a seat.
    #[serde(default)]
    pub players: u32,
    /// Share of its seats taken.
    pub load_percent: f64,
    /// Free JSON of its operator.
    #[serde(default)]
    pub metadata: Value,
    /// Its world.
    pub world: Option<WorldRef>,
    /// When it was opened.
    pub created_at_ms: i64,
    /// When it last changed.
    pub updated_at_ms: i64,
}

/// A world, by its id or as a whole.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum WorldRef {
    /// Its id.
    Id(String),
    /// All of it.
    World(Box<World>),
}

impl WorldRef {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            WorldRef::Id(id) => id,
            WorldRef::World(world) => &world.id,
        }
    }
}

/// A channel's figures.
#[derive(Debug, Clone, Deserialize)]
pub struct ChannelStats {
    /// Bots by state.
    pub bots: StateCounts,
    /// Its world.
    pub world: Option<WorldRef>,
    /// What is known of its world.
    pub world_state: String,
    /// How often its placement changed.
    pub epoch: Option<i64>,
    /// Its last sync.
    pub last_sync: Option<LastSync>,
}

/// A sync of a channel.
#[derive(Debug, Clone, Deserialize)]
pub struct LastSync {
    /// When it ended.
    pub at_ms: i64,
    /// How long it took.
    pub duration_ms: f64,
    /// Whether it did all it should.
    pub ok: bool,
    /// What was in its way.
    pub trouble: Option<String>,
}

/// What opening the first channels did.
#[derive(Debug, Clone, Deserialize)]
pub struct Initialised {
    /// The channels there are.
    pub channels: Vec<Channel>,
    /// Those that were missing.
    pub opened: Vec<String>,
}

/// What an operation moved.
#[derive(Debug, Clone, Deserialize)]
pub struct Applied {
    /// Bots that changed their channel.
    pub moved: u64,
    /// Channels that were opened for them.
    #[serde(default)]
    pub opened: Vec<String>,
}

/// What a reset clears.
#[derive(Debug, Clone, Deserialize)]
pub struct Reset {
    /// The channels.
    pub channels: Vec<ResetChannel>,
}

/// What a reset clears of one channel.
#[derive(Debug, Clone, Deserialize)]
pub struct ResetChannel {
    /// Its name.
    pub channel: String,
    /// The world that it lets go of.
    pub world: Option<WorldRef>,
    /// Bots that are deployed again.
    pub bots: u64,
    /// Those of them that had failed.
    pub failed: u64,
}

/// Where discovery found a world.
#[derive(Debug, Clone, Deserialize)]
pub struct Discovery {
    /// The world.
    pub world: WorldRef,
    /// Where it was found: `cache`, `known`, `adopted` or `created`.
    pub source: String,
    /// How long that took, on the server.
    pub duration_ms: f64,
}

/// A bot.
#[derive(Debug, Clone, Deserialize)]
pub struct Bot {
    /// Durable identity.
    pub id: String,
    /// Unique name.
    pub name: String,
    /// Who it is.
    #[serde(default)]
    pub persona: String,
    /// Words that steer it.
    #[serde(default)]
    pub traits: Vec<String>,
    /// The zone it calls home.
    pub home_zone: Option<String>,
    /// The region it belongs to.
    pub region: Option<String>,
    /// The kind of channel it wants.
    pub channel_kind: ChannelKind,
    /// The channel it has.
    pub channel: Option<String>,
    /// How far it is.
    pub state: String,
    /// Why it is not further.
    pub reason: Option<String>,
    /// Failed attempts so far.
    pub attempt: Option<u32>,
    /// When it is tried again.
    pub retry_at_ms: Option<i64>,
    /// The world it is in.
    pub world: Option<WorldRef>,
    /// When it was created.
    pub created_at_ms: i64,
    /// When its state last changed.
    pub changed_at_ms: i64,
    /// One sentence on why it is not live; only where one bot is asked for.
    pub why_not_live: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, Deserialize)]
pub struct Imported {
    /// Bots that are new.
    pub created: u64,
    /// Bots that were there already.
    pub existing: u64,
    /// Channels that were opened for them.
    #[serde(default)]
    pub opened: Vec<String>,
}

/// A world.
#[derive(Debug, Clone, Deserialize)]
pub struct World {
    /// Its id, as its host gave it.
    pub id: String,
    /// The channel it runs for.
    pub channel: Option<String>,
    /// How many are in it.
    pub residents: u64,
    /// Ticks so far.
    pub tick: u64,
    /// Length that a tick should have.
    pub tick_ms: f64,
    /// Length that ticks have.
    pub tick_ms_actual: Option<f64>,
    /// Whether it is slower than it should be.
    pub lagging: bool,
    /// Who is in it; only where one world is asked for.
    #[serde(default)]
    pub resident_list: Vec<Resident>,
    /// The last lines said, oldest first; only where one world is asked for.
    #[serde(default)]
    pub overheard: Vec<Overheard>,
}

/// A line that somebody said.
#[derive(Debug, Clone, Deserialize)]
pub struct Overheard {
    /// Who.
    pub name: String,
    /// What.
    pub text: String,
}

/// Who is in a world.
#[derive(Debug, Clone, Deserialize)]
pub struct Resident {
    /// Its name.
    pub name: String,
    /// Tiles from the left.
    pub x: f64,
    /// Tiles from the top.
    pub y: f64,
    /// The zone it stands in.
    pub zone: Option<String>,
    /// What it does.
    pub activity: Option<String>,
}

/// What a wipe did.
#[derive(Debug, Clone, Deserialize)]
pub struct Wiped {
    /// Worlds that vanished.
    pub wiped: u64,
}

/// One thing that happened.
#[derive(Debug, Clone, Deserialize)]
pub struct Activity {
    /// When.
    pub at_ms: i64,
    /// Who did it.
    pub actor: String,
    /// What.
    pub action: String,
    /// To which bot.
    pub bot: Option<String>,
    /// To which channel.
    pub channel: Option<String>,
    /// More about it.
    #[serde(default)]
    pub detail: Value,
}
