//! The realtime gateway of the built binary, against the published clients as they are: what a user of theirs sees.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

mod broadcast;
mod client;
mod conversation;
mod conversations;
mod crash;
mod doors;
mod gateway;
mod http;
mod joining;
mod lifecycle;
mod plain;
mod presence;
mod proxy;
#[path = "../process/support.rs"]
#[allow(dead_code, reason = "the tests of the process use more of it")]
mod support;
mod watching;
mod world;
