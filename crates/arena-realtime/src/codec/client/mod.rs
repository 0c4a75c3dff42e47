//! The client's half of the codec: what clients write, and what servers' frames say.
//!
//! Frames here are the contents of WebSocket messages, without headers and masks. Topics are as on the wire, `realtime:`
//! included. Refs are strings; what a server echoes as a number is read as one.

mod decode;
mod encode;
mod join;

pub use decode::{ServerError, ServerMessage, decode_server_binary, decode_server_text};
pub use encode::{Outgoing, presence_payload, user_broadcast_payload};
pub use join::JoinRequest;

#[cfg(test)]
mod tests;
