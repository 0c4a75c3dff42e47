//! The built binary against a server that gives canned answers: what it prints, what it sends, how it ends.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

mod config;
mod confirm;
mod conversations;
mod failures;
mod fleet;
mod health;
mod help;
mod lists;
mod matchmaking;
mod support;
mod token;
mod verbs;
