//! The native host: every world an actor on the cores of this process.

mod actor;
mod clock;
mod host;
mod license;
mod payload;
mod residency;
mod speech;
mod topic;

pub use host::{NativeHost, NativeSettings};
