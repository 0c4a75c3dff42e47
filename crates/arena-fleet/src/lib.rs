//! The bot service: bots that are clients of the realtime protocol, of our gateway's or of Supabase's.
//!
//! Duty: connections that many bots share and that never come in a storm, back-off, supervision of every channel a bot
//! is in, how each bot is, how many there should be, and what they say. Must not import: the store, the bus, worlds,
//! control, the API; it knows an endpoint by its protocol alone.

pub mod bot;
pub mod brain;
pub mod channel;
mod classify;
pub mod endpoint;
mod fleet;
pub mod http;
mod identity;
mod link;
mod manager;
pub mod monitor;
pub mod pool;
mod roster;
mod settings;
mod start;
mod stats;
#[cfg(test)]
mod testkit;
mod token;

pub use fleet::{Fleet, Parts, Way};
pub use identity::{BrainKind, Identity};
pub use roster::{Roster, RosterError};
pub use settings::{AlertSettings, FleetSettings, LlmSettings, ManagerSettings, PoolSettings, StartMode};
pub use start::{Access, StartError};
pub use stats::{Breaker, FleetStats, Halt, Health, LobbyReport, ManagerReport, Mode, PoolReport};
pub use token::{Token, TokenSource};
