//! Throw-away servers and small helpers for Arena's tests and benchmarks.
//!
//! Duty: give a test a database of its own, a server that it may stop and start, a free port, a directory
//! that goes away, and a way to wait for something without sleeping for luck. Everything here is blocking
//! and runs on Unix with the installed binaries of PostgreSQL and PgBouncer.
//!
//! Must not import: any other crate of Arena, an async runtime, an SQL client. `cargo xtask` builds this
//! crate before anything else, so it has to stay quick to compile.
//!
//! A server that cannot be found fails the test with a message that says what to install; nothing here
//! skips a test. No server outlives the process that started it, not even one that was killed.

mod binaries;
mod both;
mod database;
mod error;
mod matching;
mod pgbouncer;
mod port;
mod postgres;
mod process;
mod psql;
mod random;
mod temp_dir;
mod wait;

pub use binaries::{
    MIN_POSTGRES_MAJOR, PostgresBinaries, find_on_path, find_pgbouncer, find_postgres, find_psql,
};
pub use database::{ENV_POSTGRES, TestDatabase};
pub use error::ServerError;
pub use matching::MATCHING_RULES;
pub use pgbouncer::PgBouncer;
pub use port::free_port;
pub use postgres::{Durability, PostgresOptions, PostgresServer};
pub use psql::psql;
pub use temp_dir::TempDir;
pub use wait::wait_until;
