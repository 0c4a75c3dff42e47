//! The matchmaker of the built binary: tournaments, crashes, and the published clients of people who meet.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

#[path = "../support/client.rs"]
#[allow(dead_code, reason = "the tests of the gateway use more of it")]
mod client;
mod crash;
mod desk;
#[path = "../support/gateway.rs"]
#[allow(dead_code, reason = "the tests of the gateway use more of it")]
mod gateway;
mod meeting;
#[path = "../fleet/service.rs"]
#[allow(dead_code, reason = "the tests of the bot service use more of it")]
mod service;
mod storm;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "the tests of the process use more of it")]
mod support;
mod tournament;
