//! The wire: frames and messages, against golden files, an oracle, and random bytes.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

mod decode;
mod frames;
mod fuzz;
mod golden;
mod oracle;
mod reading;
