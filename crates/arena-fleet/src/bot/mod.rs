//! One bot: its place in the lobby, its talk, its world.

mod seat;

pub use seat::{Seat, Seats};

use crate::channel::{Channel, ChannelSpec};
use std::sync::Arc;

/// Opens a channel for a bot, given by its id. It is the pool's [`open`](Channel); tests hold the other end themselves.
pub type Open = Arc<dyn Fn(&str, ChannelSpec) -> Channel + Send + Sync>;
