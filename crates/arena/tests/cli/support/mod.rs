//! A fake server, and the binary to run against it.

mod binary;
mod fixtures;
mod server;

pub use binary::{arena, arena_command};
pub use fixtures::{bot, channel, health_report, page, problem, reset};
pub use server::{FakeServer, Reply, Seen};
