//! The bot service of the built binary at the gateway of the built binary: processes, sockets, and the published clients
//! of the people whom bots meet.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

#[path = "../support/client.rs"]
#[allow(dead_code, reason = "the tests of the gateway use more of it")]
mod client;
mod crash;
#[path = "../support/gateway.rs"]
#[allow(dead_code, reason = "the tests of the gateway use more of it")]
mod gateway;
mod lobby;
mod model;
#[path = "../support/proxy.rs"]
#[allow(dead_code, reason = "the tests of the gateway use more of it")]
mod proxy;
mod refused;
mod service;
mod settings;
mod shutdown;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "the tests of the process use more of it")]
mod support;
mod talk;
