//! REST over HTTP/1.1, and the doors of the realtime gateway: ways to the services of arena-control.
//!
//! Duty: turn a request into one call of a service and its outcome into an answer. Wire types live here and are
//! converted to domain types at this edge; every refusal becomes an RFC 9457 problem with a stable code.
//! The contract is docs/rest.md; for the socket docs/realtime.md.
//!
//! Must not import: the store, the world hosts, the simulation, any SQL. No rule of Arena is decided here.

mod activity;
mod bots;
mod channels;
mod conversations;
mod extract;
mod health;
mod joining;
mod layers;
mod matchmaking;
mod players;
mod problem;
mod realtime;
mod router;
mod server;
mod wire;
mod worlds;

pub use conversations::LogReads;
pub use conversations::wire::Speaker;
pub use joining::{JoinToken, Joiner, Joining, Unidentified, Watched};
pub use layers::host::{HostNames, by_known_names};
pub use matchmaking::rules_from_json;
pub use realtime::{JoinTokens, Stage, realtime_router};
pub use router::{ApiLimits, router};
pub use server::{Drained, serve};
