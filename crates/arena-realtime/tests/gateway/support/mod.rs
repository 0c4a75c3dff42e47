//! What the tests stand on: a gateway, what is behind it, and clients.

mod client;
mod house;
mod stage;
mod talks;

pub use client::{Client, Heard};
pub use house::{House, PATIENCE, aside};
pub use stage::{Call, Stage};
pub use talks::Talks;
