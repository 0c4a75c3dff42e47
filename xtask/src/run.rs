//! Running other programs, and saying so on stderr.

use std::fmt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::Context;

/// A program that we ran has failed and told the user why.
#[derive(Debug)]
pub struct ChildFailed {
    code: Option<i32>,
}

impl ChildFailed {
    /// Its own exit code; 1 where a signal ended it.
    pub fn exit_code(&self) -> ExitCode {
        let code = self.code.and_then(|code| u8::try_from(code).ok()).filter(|&code| code != 0);
        ExitCode::from(code.unwrap_or(1))
    }
}

impl fmt::Display for ChildFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "exit code {code}"),
            None => write!(f, "ended by a signal"),
        }
    }
}

impl std::error::Error for ChildFailed {}

/// The directory of the workspace.
pub fn workspace_root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The cargo that runs us, with arguments.
pub fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    command
}

/// Names a step on stderr.
pub fn announce(name: &str) {
    eprintln!("==> {name}");
}

/// Names a step on stderr, runs it and prints how long it took.
pub fn step(name: &str, run: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    announce(name);
    let start = Instant::now();
    let result = run();
    let outcome = if result.is_ok() { "done" } else { "failed" };
    eprintln!("==> {name}: {outcome} in {:.1} s", start.elapsed().as_secs_f64());
    result
}

/// Runs a program to its end; its output goes where ours goes.
pub fn status(mut command: Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("could not run {program}"))?;
    if status.success() { Ok(()) } else { Err(ChildFailed { code: status.code() }.into()) }
}

/// Whether a program runs and succeeds; its output is not shown.
pub fn succeeds(mut command: Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
