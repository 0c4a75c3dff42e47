//! Starting and ending server processes so that none outlives us.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::binaries::find_on_path;
use crate::error::ServerError;
use crate::wait::poll;

/// How long a server may take to end before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// Who a server runs as: servers refuse to run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunAs {
    /// Whoever we are.
    Ourselves,
    /// We are root and step down to this user and group.
    Other { uid: u32, gid: u32 },
}

impl RunAs {
    /// Ourselves, or, for root, the user `postgres` (else `nobody`).
    pub(crate) fn unprivileged(home: &Path) -> Result<RunAs, ServerError> {
        // A directory that we just made belongs to our effective user.
        let owner = fs::metadata(home).map_err(ServerError::io(format!("look at {}", home.display())))?.uid();
        if owner != 0 {
            return Ok(RunAs::Ourselves);
        }
        let passwd = fs::read_to_string("/etc/passwd").map_err(ServerError::io("read /etc/passwd"))?;
        ["postgres", "nobody"].iter().find_map(|name| find_user(&passwd, name)).ok_or(
            ServerError::NotInstalled {
                program: "a user that the server can run as",
                hint: "add the system user postgres",
            },
        )
    }

    /// Hands a file or directory to that user.
    pub(crate) fn give(self, path: &Path) -> Result<(), ServerError> {
        match self {
            RunAs::Ourselves => Ok(()),
            RunAs::Other { uid, gid } => chown(path, Some(uid), Some(gid))
                .map_err(ServerError::io(format!("hand over {}", path.display()))),
        }
    }

    /// A command that runs `program` as that user and gets `death_signal` when our process ends in any way.
    pub(crate) fn command(self, program: &Path, death_signal: Signal) -> Result<Command, ServerError> {
        let setpriv = find_on_path("setpriv").ok_or(ServerError::NotInstalled {
            program: "setpriv",
            hint: "install util-linux, or point ARENA_TEST_POSTGRES at a server that runs already",
        })?;
        let mut command = Command::new(setpriv);
        if let RunAs::Other { uid, gid } = self {
            command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".into()]);
        }
        command.args(["--pdeathsig", death_signal.name()]).arg(program);
        command.env("LC_ALL", "C").stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        Ok(command)
    }
}

fn find_user(passwd: &str, name: &str) -> Option<RunAs> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(RunAs::Other { uid, gid })
}

/// The signals that we send. What they mean is the server's matter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    Int,
    Quit,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Signal::Int => "INT",
            Signal::Quit => "QUIT",
        }
    }
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a server whose output goes to the end of the file `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Process, ServerError> {
        let log_file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(ServerError::io(format!("open {}", log.display())))?;
        let second = log_file.try_clone().map_err(ServerError::io("share the log"))?;
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdout(log_file).stderr(second).process_group(0);
        let child = spawn_for_life(command).map_err(ServerError::io(format!("start {program}")))?;
        Ok(Process { child })
    }

    /// The exit status, once it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end and waits; kills it where asking does not help.
    pub(crate) fn stop(&mut self, signal: Signal) {
        if self.ended().is_some() {
            return;
        }
        self.send(signal);
        if poll(STOP_TIMEOUT, || self.ended()).is_none() {
            self.kill();
        }
    }

    /// The standard library sends only SIGKILL; every shell has a `kill` of its own for the others. The
    /// process was not waited for yet, so the number cannot belong to another one.
    fn send(&self, signal: Signal) {
        let _ = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal.name(), &self.child.id().to_string()])
            .stderr(Stdio::null())
            .status();
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

type SpawnRequest = (Command, SyncSender<io::Result<Child>>);

/// Starts a process from a thread that lives as long as our process.
///
/// Linux sends the parent-death signal when the *thread* that started a process ends. A server that was
/// started by one test's thread would die with that test, while others still use it.
fn spawn_for_life(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<SyncSender<SpawnRequest>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests) = sync_channel::<SpawnRequest>(1);
        thread::spawn(move || {
            for (mut command, reply) in requests {
                let _ = reply.send(command.spawn());
            }
        });
        sender
    });
    let (reply, answer) = sync_channel(1);
    spawner.send((command, reply)).map_err(io::Error::other)?;
    answer.recv().map_err(io::Error::other)?
}

/// The last lines of a server's log, for error messages.
pub(crate) fn log_tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
