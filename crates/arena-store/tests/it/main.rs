//! The store's suite: every test of it runs against SQLite and against PostgreSQL.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is test code; clippy only knows functions marked as tests"
)]

#[macro_use]
extern crate arena_testing;

mod support;

mod activity;
mod assigning;
mod cancelling;
mod closing;
mod conversations;
mod draining;
mod errors;
mod importing;
mod limits;
mod matching;
mod migrations;
mod model;
mod moving;
mod observing;
mod outage;
mod paging;
mod partitions;
mod placements;
mod players;
mod pooler;
mod positions;
mod replies;
mod shards;
mod storm;
mod text;
