//! A bot's side of a topic: it stays joined, or says why it is not.

mod handle;
mod presence;

pub use handle::{Ask, Channel, ChannelEvent, ChannelSpec, FarEnd, PushError, Pusher, Reply};
pub use presence::{Appearance, Present, is_of_client};
