//! The bot service as a process.

use crate::machine::resident_bytes;
use crate::server::{spawn, terminate};
use anyhow::{Context, ensure};
use arena_testing::{TempDir, free_port};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command};

/// `arena fleet run`; killed when dropped.
pub struct Service {
    child: Child,
    dir: TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// So many bots at the endpoint with this address. Everything else is as it comes, but that starts are as quick as
    /// the endpoint bears.
    pub fn start(arena: &Path, endpoint: SocketAddr, apikey: &str, bots: usize) -> anyhow::Result<Service> {
        let dir = TempDir::new("bench-fleet")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = Command::new(arena);
        command.args(["fleet", "run"]).env("ARENA_DATA_DIR", dir.path());
        for (setting, value) in [
            ("LISTEN", address.to_string()),
            ("ENDPOINT", format!("ws://{endpoint}/socket")),
            ("APIKEY", apikey.to_owned()),
            ("START", "adaptive".to_owned()),
            ("MIN", bots.to_string()),
            ("MAX", bots.to_string()),
        ] {
            command.env(format!("ARENA_FLEET__{setting}"), value);
        }
        let (child, _) = spawn(&mut command, &dir.path().join("log"))?;
        Ok(Service { child, dir })
    }

    /// Its memory in RAM, in bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        resident_bytes(&self.child.id().to_string())
    }

    /// Fails with what it has logged if it has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "arena fleet run ended with {ended:?}: {}", self.log());
        Ok(())
    }

    /// Asks it to end; fails unless it does so in good order.
    pub fn stop(mut self) -> anyhow::Result<()> {
        terminate(&self.child)?;
        let status = self.child.wait().context("wait for arena fleet run")?;
        ensure!(status.success(), "arena fleet run ended with {status}: {}", self.log());
        Ok(())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default().trim().to_owned()
    }
}
