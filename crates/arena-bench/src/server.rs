//! The real program as a child, on a data directory of its own.

use crate::http::request;
use anyhow::{Context, bail, ensure};
use arena_testing::{TempDir, free_port};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server that is not there by then never will be.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(1);

/// Lines of a configuration file that let anybody on this machine connect without a token, each as a user of its own.
pub const ANONYMOUS: [&str; 2] = ["[realtime]", r#"anonymous = "loopback""#];

/// The program: the one that is named, or the one beside this one.
pub fn find_arena(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join("arena"));
    let arena = named.map(Path::to_owned).or_else(beside).context("where is this program?")?;
    ensure!(
        arena.is_file(),
        "{} is missing: run `cargo build --release -p arena` first, or name it with --arena",
        arena.display()
    );
    Ok(arena)
}

/// A running `arena serve`; killed when dropped.
pub struct Server {
    child: Child,
    arena: PathBuf,
    data: PathBuf,
    /// Its configuration file, if it has one.
    config: Option<PathBuf>,
    address: SocketAddr,
    started: Instant,
    dir: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its data is thrown away: no reason to stop it in good order.
        self.kill();
    }
}

impl Server {
    /// Starts it with an empty data directory. `config` are lines of a configuration file.
    pub fn start(arena: &Path, config: &[&str]) -> anyhow::Result<Server> {
        Server::launch(arena, None, config)
    }

    /// Starts it with a data directory that exists and stays.
    pub fn start_over(arena: &Path, data: &Path, config: &[&str]) -> anyhow::Result<Server> {
        Server::launch(arena, Some(data), config)
    }

    fn launch(arena: &Path, data: Option<&Path>, config: &[&str]) -> anyhow::Result<Server> {
        let dir = TempDir::new("bench-server")?;
        let data = data.map_or_else(|| dir.path().join("data"), Path::to_owned);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let file = (!config.is_empty()).then(|| dir.path().join("arena.toml"));
        if let Some(file) = &file {
            std::fs::write(file, config.join("\n") + "\n")?;
        }
        let mut command = Server::command(arena, &data, file.as_deref(), address);
        let (child, started) = spawn(&mut command, &log(&dir))?;
        Ok(Server { child, arena: arena.to_owned(), data, config: file, address, started, dir })
    }

    fn command(arena: &Path, data: &Path, config: Option<&Path>, address: SocketAddr) -> Command {
        let mut command = Command::new(arena);
        command.args(["serve", "--listen", &address.to_string(), "--data-dir"]).arg(data);
        if let Some(file) = config {
            command.arg("--config").arg(file);
        }
        command
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, and waits until it has.
    pub fn terminate(&mut self) -> anyhow::Result<()> {
        terminate(&self.child)?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again after its end: over the same data, where it was.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let mut command = Server::command(&self.arena, &self.data, self.config.as_deref(), self.address);
        (self.child, self.started) = spawn(&mut command, &log(&self.dir))?;
        Ok(())
    }

    /// A token that this server takes, as these arguments of `arena token create` say.
    pub fn token(&self, args: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.arena);
        command.args(["token", "create"]).args(args).env("ARENA_DATA_DIR", &self.data);
        let output = command.output().context("run arena token create")?;
        ensure!(output.status.success(), "no token: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Sends it a request.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<(u16, Value)> {
        request(self.address, method, path, body)
    }

    /// Waits until it answers; returns the time since exec.
    pub fn until_it_answers(&mut self) -> anyhow::Result<Duration> {
        self.until("`/healthz` answers", |server| {
            Ok(server.request("GET", "/healthz", None).is_ok_and(|(status, _)| status == 200))
        })
    }

    /// Asks until it is so; returns the time since exec.
    pub fn until(
        &mut self,
        what: &str,
        mut holds: impl FnMut(&Server) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Duration> {
        let asked = Instant::now();
        loop {
            if holds(self)? {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("arena serve ended with {status}: {}", self.log());
            }
            ensure!(asked.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}; log: {}", self.log());
            sleep(POLL);
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(log(&self.dir)).unwrap_or_default().trim().to_owned()
    }
}

fn log(dir: &TempDir) -> PathBuf {
    dir.path().join("log")
}

/// Starts a program that writes what it says to the end of this file.
pub fn spawn(command: &mut Command, log: &Path) -> anyhow::Result<(Child, Instant)> {
    let log = File::options().create(true).append(true).open(log)?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let started = Instant::now();
    let child = command.spawn().with_context(|| format!("start {command:?}"))?;
    Ok((child, started))
}

/// Asks a program to end.
pub fn terminate(child: &Child) -> anyhow::Result<()> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process has a number")?;
    Ok(kill_process(pid, Signal::TERM)?)
}
