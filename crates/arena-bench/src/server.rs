//! The real program as a child, on a data directory of its own.

use crate::http::request;
use anyhow::{Context, bail, ensure};
use arena_testing::{TempDir, free_port};
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
    address: SocketAddr,
    started: Instant,
    dir: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its data is thrown away: no reason to stop it in good order.
        let _ = self.child.kill();
        let _ = self.child.wait();
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
        let log = File::create(dir.path().join("log"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = Command::new(arena);
        command.args(["serve", "--listen", &address.to_string(), "--data-dir"]).arg(data);
        if !config.is_empty() {
            let file = dir.path().join("arena.toml");
            std::fs::write(&file, config.join("\n") + "\n")?;
            command.arg("--config").arg(file);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let child = command.spawn().context("start arena serve")?;
        Ok(Server { child, address, started, dir })
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
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default().trim().to_owned()
    }
}
