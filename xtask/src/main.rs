//! Arena's tasks: `cargo xtask ci` checks everything, `cargo xtask --help` lists the rest.
//!
//! Must not import: any crate of Arena but arena-testing, so that a task starts after seconds of compiling.

mod bench;
mod clients;
mod deny;
mod run;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use run::{ChildFailed, cargo, step};

/// Arena's tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Everything that CI checks: format, clippy without warnings, all tests
    Ci,
    /// Format and clippy, as CI checks them
    Lint,
    /// All tests, with a PostgreSQL server of their own; arguments go to nextest
    Test {
        /// Passed on, such as `-p arena-store` or a part of a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// The published realtime clients that the tests use, installed below target/
    Clients,
    /// Licences, advisories, bans and sources of all dependencies (cargo-deny)
    Deny,
    /// One benchmark, in release mode
    Bench {
        /// The benchmark's name
        name: String,
        /// Passed on to the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<ChildFailed>() {
            // It has said itself what is wrong, and its last line stays the last one.
            Some(failed) => failed.exit_code(),
            None => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    std::env::set_current_dir(run::workspace_root())?;
    match task {
        Task::Ci => {
            lint()?;
            test::run(&[])
        }
        Task::Lint => lint(),
        Task::Test { args } => test::run(&args),
        Task::Clients => {
            tools::ensure()?;
            clients::ensure().map(drop)
        }
        Task::Deny => deny::run(),
        Task::Bench { name, args } => bench::run(&name, &args),
    }
}

fn lint() -> anyhow::Result<()> {
    step("format", || run::status(cargo(["fmt", "--all", "--check"])))?;
    step("clippy", || run::status(cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])))
}
