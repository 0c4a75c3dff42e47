//! The realtime gateway: sessions that speak the Phoenix Channels protocol in the dialect of Supabase Realtime.
//!
//! Duty: frames, messages, sessions, rooms, presence, fan-out, tokens and limits. What is behind a topic (worlds,
//! seats, conversations) is asked of a [`Backstage`]. Must not import: HTTP servers, SQL, worlds, the services above.

mod backstage;
pub mod codec;
pub mod frame;
mod gateway;
pub mod limits;
mod outbox;
pub mod policy;
mod room;
mod session;
pub mod token;

pub use arena_bus::Payload;
pub use backstage::{Asking, Backstage, Entered, Heard, Line, Look, Missed, Refused, Said, Saying, Unsaid};
pub use gateway::{
    Admitted, Drain, Gateway, GatewaySettings, GatewayStats, Handshake, HandshakeRefusal, Publication,
    PublishRefusal,
};
pub use room::PresenceSettings;
