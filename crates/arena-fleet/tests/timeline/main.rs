//! The fleet's connections against an endpoint that does what a test tells it to, on a timeline of paused time.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

mod endpoint;
mod setting;

mod asking;
mod dropping;
mod fleet;
mod hanging;
mod herd;
mod leases;
mod lying;
mod matched;
mod outage;
mod refusing;
mod shutdown;
