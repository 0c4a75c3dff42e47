//! Messages of the Phoenix Channels protocol in the dialect of Supabase Realtime.
//!
//! Text of versions 1.0.0 and 2.0.0 and the binary kinds become [`ClientMessage`]s; [`server`] makes the frames that
//! answer them, and [`client`] is the other side of both. Payloads pass through as the text they came as. Topics are as on the wire, `realtime:` included.

mod binary;
pub mod client;
mod envelope;
mod error;
mod join;
mod message;
mod reference;
pub mod server;
mod text;
mod version;

pub use binary::decode_binary;
pub use error::DecodeError;
pub use join::{BroadcastConfig, Complaint, JoinConfig, PresenceConfig, Replay};
pub use message::{Body, ClientMessage, MAX_EVENT_BYTES, UserPayload};
pub use reference::Ref;
pub use server::Status;
pub use text::decode_text;
pub use version::{Dialect, UnknownVsn, Vsn};

/// What stands before every topic on the wire, except before that of heartbeats.
pub const TOPIC_PREFIX: &str = "realtime:";
/// The topic of heartbeats.
pub const HEARTBEAT_TOPIC: &str = "phoenix";
