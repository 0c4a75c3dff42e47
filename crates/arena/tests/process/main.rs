//! The built binary as a process: starting, being killed, starting again, and the demo.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

mod conversations;
mod crash;
mod demo;
mod fleet;
mod serving;
#[path = "../support/server.rs"]
mod support;
mod talking;
