//! `cargo xtask bench`.

use crate::run::{self, cargo};

/// Benchmarks that start the program itself and look for it beside them.
const WITH_PROGRAM: [&str; 5] = ["start", "fanout", "fleet", "messages", "players"];

/// Runs a benchmark in release mode. The servers that it needs it starts itself.
pub fn run(name: &str, args: &[String]) -> anyhow::Result<()> {
    if WITH_PROGRAM.contains(&name) {
        run::status(cargo(["build", "--release", "--package", "arena"]))?;
    }
    let mut command = cargo(["run", "--release", "--package", "arena-bench", "--", name]);
    command.args(args);
    run::status(command)
}
