//! The gateway over a scripted backstage, driven by sockets: what it does when clients and worlds do their worst.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

mod audience;
mod conversing;
mod drain;
mod hostile;
mod joining;
mod matchmaking;
mod presence;
mod publishing;
mod recovery;
mod rejoining;
mod slow;
mod support;
mod tokens;
