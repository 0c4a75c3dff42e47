//! The native host: every world an actor on the cores of this process.

mod actor;
mod clock;
mod host;
mod residency;

pub use host::{NativeHost, NativeSettings};
