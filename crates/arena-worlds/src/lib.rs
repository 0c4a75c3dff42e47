//! World hosts of Arena: native world actors, discovery, and snapshots of positions.
//!
//! A host runs worlds; discovery finds the one of a channel, or has it created. Must not import: HTTP, SQL, the
//! services above (arena-control), or anything that decides who is assigned where.

mod act;
mod discovery;
mod guarded;
mod host;
mod keeper;
pub mod native;
mod talk;

pub use act::{Act, ActError};
pub use discovery::{DiscoverError, Discovered, Discovery, DiscoverySettings, Source};
pub use guarded::{GuardedHost, Validity};
pub use host::{
    Body, BodyKind, CreateWorld, HostedWorld, JoinOutcome, Look, ResidentSummary, WorldEvent, WorldHost,
    WorldSummary, WorldView,
};
pub use keeper::{PositionKeeper, last_positions};
pub use talk::{Line, Outcome, Talk, Verdict};
