//! `cargo xtask bench`.

use crate::run::{self, cargo};

/// Runs a benchmark in release mode. The servers that it needs it starts itself.
pub fn run(name: &str, args: &[String]) -> anyhow::Result<()> {
    let mut command = cargo(["run", "--release", "--package", "arena-bench", "--", name]);
    command.args(args);
    run::status(command)
}
