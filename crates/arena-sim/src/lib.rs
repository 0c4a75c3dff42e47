//! One Arena world as a pure, deterministic step: map, movement, paths, zones, meetings and talk.
//!
//! The same map, seed, settings and inputs give the same residents, tick for tick, on every machine: positions
//! are fixed point, randomness comes from the seed alone, and nothing iterates over a hash map.
//!
//! Must not import: an async runtime, SQL, HTTP, files, a clock, ambient randomness, or any Arena crate but
//! `arena-core`. Whoever hosts a world brings the time (a call of [`World::step`] is one tick) and carries the
//! effects out.

mod brain;
mod effect;
mod geometry;
mod hash;
mod input;
mod map;
mod rng;
mod settings;
mod talk;
mod world;

pub use brain::{BrainKind, Persona, Temper};
pub use effect::{Arrival, Effect, EndReason, MoveKind, Refusal, Unsaid, Wish};
pub use geometry::{Heading, Pos, SUBTILE, Tile};
pub use input::{Emote, Input, MAX_NAME_CHARS, NoLeave};
pub use map::{MapError, TOWN_JSON, TownMap, Zone, ZoneId};
pub use settings::{SettingsError, WorldSettings};
pub use world::{
    Activity, ConversationId, ConversationPhase, ConversationView, ResidentView, RestoreError, World,
    WorldSnapshot,
};
