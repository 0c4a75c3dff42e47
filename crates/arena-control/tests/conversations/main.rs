//! The suite of conversations: the service over both databases, with several writers, outages and restarts.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is test code; clippy only knows functions marked as tests"
)]

#[macro_use]
extern crate arena_testing;

mod support;

mod capacity;
mod coming_and_going;
mod listening;
mod moderating;
mod racing;
mod repeating;
mod residents;
mod sharing;
mod timing;
mod writers;
