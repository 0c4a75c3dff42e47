//! `cargo xtask test`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use arena_testing::{Durability, ENV_POSTGRES, PostgresOptions, PostgresServer};

use crate::clients::{self, ENV_CLIENTS};
use crate::run::{self, announce, cargo, step};
use crate::tools;

/// Four tests at a time, each with a pool or two, and room for the ones that open hundreds.
const MAX_CONNECTIONS: u32 = 600;

/// Runs all tests, or those that `args` select, against one PostgreSQL server. The server ends on every
/// path: dropped on return, by the parent-death signal otherwise.
///
/// Nothing is printed after the runner's own last line.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    tools::ensure()?;
    let clients = clients::ensure()?;
    let server = if tools::has_own_server() { None } else { Some(start_postgres()?) };
    let with_server = |mut command: Command| {
        if let Some(server) = &server {
            command.env(ENV_POSTGRES, server.url());
        }
        command.env(ENV_CLIENTS, &clients);
        run::status(command)
    };

    let nextest = run::succeeds(cargo(["nextest", "--version"]));
    let mut runner = if nextest { cargo(["nextest", "run"]) } else { cargo(["test", "--no-fail-fast"]) };
    if !selects_packages(args) {
        runner.arg("--workspace");
    }
    runner.args(args);

    if !nextest {
        announce("tests (by cargo test: cargo-nextest is not installed)");
        return with_server(runner);
    }
    if args.is_empty() && has_doctests(Path::new("crates"))? {
        step("documentation tests", || with_server(cargo(["test", "--quiet", "--doc", "--workspace"])))?;
    }
    announce("tests");
    with_server(runner)
}

fn start_postgres() -> anyhow::Result<PostgresServer> {
    let options = PostgresOptions { durability: Durability::Off, max_connections: MAX_CONNECTIONS };
    let server = PostgresServer::start(options).context("could not start PostgreSQL for the tests")?;
    eprintln!("==> PostgreSQL {} on port {}", server.major_version(), server.port());
    Ok(server)
}

/// `--workspace` beside `-p` would run everything.
fn selects_packages(args: &[String]) -> bool {
    let own = args.iter().take_while(|arg| *arg != "--");
    own.into_iter().any(|arg| arg == "--package" || arg.starts_with("--package=") || arg.starts_with("-p"))
}

/// Whether any documentation comment holds a code block: looking for documentation tests with rustdoc
/// takes a second a crate, even where there are none.
fn has_doctests(dir: &Path) -> anyhow::Result<bool> {
    for entry in fs::read_dir(dir).with_context(|| format!("could not read {}", dir.display()))? {
        let path = entry?.path();
        let found = if path.is_dir() {
            has_doctests(&path)?
        } else {
            path.extension().is_some_and(|extension| extension == "rs") && has_code_block(&path)?
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_code_block(path: &Path) -> anyhow::Result<bool> {
    let source = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let is_fence = |line: &str| line.starts_with("/// ```") || line.starts_with("//! ```");
    Ok(source.lines().map(str::trim_start).any(is_fence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_selected_only_before_the_double_dash() {
        let selects =
            |args: &str| selects_packages(&args.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert!(selects("-p arena-store"));
        assert!(selects("some_test --package=arena-store"));
        assert!(!selects("some_test"));
        assert!(!selects("some_test -- -p"));
        assert!(!selects("--profile ci"));
    }
}
