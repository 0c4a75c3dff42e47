//! The servers that are compared, each a process of its own.

use super::Args;
use super::peers::Peer;
use crate::dialect::{Dialect, Phoenix, Raw};
use crate::server::{ANONYMOUS, Server, find_arena};
use anyhow::Context;
use arena_testing::free_port;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server that does not listen by then never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Contestant {
    /// One write per delivery and nothing else; frames are as long as the gateway's.
    Floor {
        /// Bytes of a frame.
        frame: usize,
    },
    /// `arena serve`.
    Gateway,
    /// Somebody else's server.
    Peer(Peer),
}

/// A contestant that is up.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process.
    pub pid: String,
    /// How to speak to it.
    pub dialect: Box<dyn Dialect>,
    _process: Process,
}

/// Keeps a server up; dropping it ends the server.
enum Process {
    Arena(#[expect(dead_code, reason = "held to be dropped")] Server),
    Child(Child),
    /// Somebody else's.
    Foreign,
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Process::Child(child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Contestant {
    /// What it is called in the tables.
    pub fn name(&self) -> &'static str {
        match self {
            Contestant::Floor { .. } => "floor: raw sockets",
            Contestant::Gateway => "gateway",
            Contestant::Peer(peer) => peer.name(),
        }
    }

    /// Starts it.
    pub fn start(&self, args: &Args) -> anyhow::Result<Running> {
        match self {
            Contestant::Floor { frame } => {
                let port = free_port();
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["raw-room", "--port", &port.to_string()]);
                child(command, port, Box::new(Raw { frame: *frame }))
            }
            Contestant::Gateway => gateway(args),
            Contestant::Peer(peer) => peer.start(args),
        }
    }
}

fn gateway(args: &Args) -> anyhow::Result<Running> {
    let phoenix = |apikey: &str| Box::new(Phoenix::new(apikey, "lobby:", args.bytes));
    if let (Some(address), Some(pid)) = (args.at, args.pid) {
        let dialect = phoenix(&args.apikey);
        return Ok(Running { address, pid: pid.to_string(), dialect, _process: Process::Foreign });
    }
    let mut server = Server::start(&find_arena(args.arena.as_deref())?, &ANONYMOUS)?;
    server.until_it_answers()?;
    let (address, pid) = (server.address(), server.pid());
    Ok(Running { address, pid, dialect: phoenix(&args.apikey), _process: Process::Arena(server) })
}

/// Starts a server that listens on a loopback port.
pub fn child(mut command: Command, port: u16, dialect: Box<dyn Dialect>) -> anyhow::Result<Running> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn();
    let child = child.with_context(|| format!("start {program}"))?;
    let (address, pid) = (SocketAddr::from((Ipv4Addr::LOCALHOST, port)), child.id().to_string());
    let running = Running { address, pid, dialect, _process: Process::Child(child) };
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        anyhow::ensure!(started.elapsed() < PATIENCE, "{program} does not listen on {address}");
        sleep(Duration::from_millis(1));
    }
    Ok(running)
}
