//! A bot's side of a topic: it stays joined, or says why it is not.

mod handle;

pub use handle::{Ask, Channel, ChannelEvent, ChannelSpec, FarEnd, PushError, Reply};
