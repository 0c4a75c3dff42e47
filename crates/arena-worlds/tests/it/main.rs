//! The suite of the world hosts: the native host by itself; discovery and snapshots on both databases.
//!
//! Which pitfall is covered where stands at the top of `arena-control/tests/it/main.rs`.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is test code; clippy only knows functions marked as tests"
)]

#[macro_use]
extern crate arena_testing;

mod support;

mod discovering;
mod keeping;
mod native_acts;
mod native_load;
mod native_residents;
mod native_talk;
mod native_topics;
mod native_worlds;
mod viewer;
