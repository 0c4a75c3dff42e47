//! The REST API on real sockets, over SQLite and over PostgreSQL: every route, and every refusal that
//! docs/rest.md promises.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod bots;
mod channels;
mod client;
mod conversations;
mod matchmaking;
mod players;
mod refusals;
mod server;
mod worlds;
