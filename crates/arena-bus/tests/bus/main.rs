//! Streams: numbering, handing over, recovery, and how long they last.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

mod delivery;
mod history;
mod life;
mod model;
mod numbered;
mod support;
