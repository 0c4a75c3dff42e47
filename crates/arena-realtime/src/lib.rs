//! The realtime gateway: sessions that speak the Phoenix Channels protocol in the dialect of Supabase Realtime.
//!
//! Duty: frames, messages, sessions, rooms, presence, fan-out, tokens and limits. What is behind a topic (worlds,
//! seats) is asked of a `Backstage`. Must not import: HTTP servers, SQL, worlds, the services above.

pub mod codec;
pub mod frame;
pub mod limits;
pub mod policy;
pub mod token;
