//! Servers of others, installed below the target directory when they are asked for.

use super::Args;
use super::servers::{Running, child};
use crate::dialect::{Colyseus, Redis, SocketIo};
use anyhow::{Context, ensure};
use arena_testing::{find_on_path, free_port};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Who else sends messages to rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Redis pub/sub: no rooms, no WebSocket, but the yardstick for fan-out.
    Redis,
    /// socket.io in Node.
    SocketIo,
    /// Colyseus in Node.
    Colyseus,
}

/// All of them.
pub const PEERS: [Peer; 3] = [Peer::Redis, Peer::SocketIo, Peer::Colyseus];

/// The npm project of the Node servers, and what it needs.
const NODE: [(&str, &str); 4] = [
    ("package.json", include_str!("../../peers/package.json")),
    ("package-lock.json", include_str!("../../peers/package-lock.json")),
    ("socketio.mjs", include_str!("../../peers/socketio.mjs")),
    ("colyseus.mjs", include_str!("../../peers/colyseus.mjs")),
];
/// Debian's Redis and the libraries that a small machine lacks.
const REDIS: [&str; 5] = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1"];

impl Peer {
    /// What it is called in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Redis => "Redis pub/sub",
            Peer::SocketIo => "socket.io",
            Peer::Colyseus => "Colyseus",
        }
    }

    /// Starts it.
    pub fn start(self, args: &Args) -> anyhow::Result<Running> {
        let (port, payload) = (free_port(), args.bytes);
        let node = |script: &str| {
            let mut command = Command::new("node");
            command.env("NODE_ENV", "production").arg(folder("node")?.join(script)).arg(port.to_string());
            anyhow::Ok(command)
        };
        match self {
            Peer::Redis => child(redis(port)?, port, Box::new(Redis { payload })),
            Peer::SocketIo => child(node("socketio.mjs")?, port, Box::new(SocketIo { payload })),
            Peer::Colyseus => child(node("colyseus.mjs")?, port, Box::new(Colyseus { payload })),
        }
    }
}

/// Installs all of them; what is installed already stays.
pub fn install() -> anyhow::Result<()> {
    let node = folder("node")?;
    for (name, text) in NODE {
        fs::write(node.join(name), text)?;
    }
    let mut npm = Command::new("npm");
    // Not `ci`: that insists on optional packages for other systems. The lock file pins what is installed all the same.
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional"]);
    quietly(npm, &node).context("install the npm packages of the peers")?;
    if find_on_path("redis-server").is_none() && !unpacked()?.exists() {
        let folder = folder("redis")?;
        let mut download = Command::new("apt-get");
        quietly(
            {
                download.arg("download").args(REDIS);
                download
            },
            &folder,
        )
        .context("download Debian's Redis; or install redis-server yourself")?;
        for file in fs::read_dir(&folder)? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                let mut unpack = Command::new("dpkg");
                quietly(
                    {
                        unpack.arg("-x").arg(path).arg("root");
                        unpack
                    },
                    &folder,
                )?;
            }
        }
    }
    Ok(())
}

fn redis(port: u16) -> anyhow::Result<Command> {
    let mut command = match find_on_path("redis-server") {
        Some(installed) => Command::new(installed),
        None => {
            let root = folder("redis")?.join("root");
            let mut command = Command::new(unpacked()?);
            let libraries = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
            command.env("LD_LIBRARY_PATH", root.join(libraries));
            command
        }
    };
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--save", "", "--appendonly", "no", "--maxclients", "19900"]);
    Ok(command)
}

fn unpacked() -> anyhow::Result<PathBuf> {
    Ok(folder("redis")?.join("root/usr/bin/redis-server"))
}

/// A folder beside the builds.
fn folder(name: &str) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.parent().and_then(Path::parent).context("where is this program?")?;
    let folder = target.join("bench-peers").join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs a command to its end; what it says is shown if it fails.
fn quietly(mut command: Command, within: &Path) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.current_dir(within).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("run {program}"))?;
    let said = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    ensure!(output.status.success(), "{program} failed with {}: {}", output.status, said());
    Ok(())
}
