//! The realtime gateway of the built binary, against the published clients as they are: what a user of theirs sees.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

mod broadcast;
#[path = "../support/client.rs"]
mod client;
mod conversation;
mod conversations;
mod crash;
mod doors;
#[path = "../support/gateway.rs"]
mod gateway;
mod http;
mod joining;
mod lifecycle;
#[path = "../support/plain.rs"]
mod plain;
mod presence;
#[path = "../support/proxy.rs"]
#[allow(dead_code, reason = "the tests of the bot service use more of it")]
mod proxy;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "the tests of the process use more of it")]
mod support;
mod watching;
mod world;
