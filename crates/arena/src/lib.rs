//! The arena binary: command line, settings and wiring. A library so that tests reach it; `main` only calls
//! [`run`].
//!
//! Must not hold: rules, SQL or HTTP handlers. The CLI's commands are clients of the REST API, like any other.

pub mod auth;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod demo;
mod files;
pub mod fleet;
mod interrupt;
mod logging;
pub mod migrate;
pub mod progress;
pub mod render;
mod seats;
pub mod serve;
pub mod server;
pub mod watch;

pub use commands::run;
