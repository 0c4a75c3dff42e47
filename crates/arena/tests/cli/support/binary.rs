use super::FakeServer;
use std::process::{Command, Stdio};

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The binary, with nothing of the environment that the tests run in, and no terminal.
pub fn arena_command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arena"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

/// Runs the binary to its end; `server` is named with `--server` where there is one.
pub fn arena(server: Option<&FakeServer>, args: &[&str]) -> Finished {
    let mut command = arena_command(args);
    if let Some(server) = server {
        command.args(["--server", &server.url()]);
    }
    let output = command.output().expect("the binary runs");
    let hide = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).expect("output is UTF-8");
        server.map_or(text.clone(), |server| text.replace(&server.url(), "http://server"))
    };
    Finished { code: output.status.code(), stdout: hide(output.stdout), stderr: hide(output.stderr) }
}
