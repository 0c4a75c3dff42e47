//! A fake server, and the binary to run against it.

mod binary;
mod fixtures;
mod server;

pub use binary::{arena, arena_command};
pub use fixtures::{bot, channel, conversation, fleet, health_report, line, page, problem, receipt, reset};
pub use server::{FakeServer, Reply, Seen};
