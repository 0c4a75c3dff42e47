//! `fleet`: a thousand bots of the bot service at the gateway, beside a thousand naive clients.
//!
//! The gateway and the bot service are the real program, each in a process of its own. Between them a proxy writes down
//! every connection, and somebody in the lobby counts who is there: no figure is what the bot service says of itself.

mod arrivals;
mod memory;
mod naive;
mod observer;
mod proxy;
mod restart;
mod rig;
mod service;
mod start;
mod wire;

use crate::load::raise_file_limit;
use crate::report::Report;
use crate::server::find_arena;
use clap::ValueEnum;
use rig::Rig;
use std::path::PathBuf;
use std::time::Duration;

/// Where everybody is.
const LOBBY: &str = "realtime:lobby:main";

/// Arguments of `fleet`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Bots, and naive clients beside them
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(10..))]
    bots: u32,
    /// How often each is done
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// How long the gateway is down between its end and its start
    #[arg(long, default_value_t = 2.0)]
    down_seconds: f64,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Only these clients
    #[arg(long, value_enum, value_delimiter = ',', default_value = "fleet,naive")]
    who: Vec<Who>,
    /// The program [default: `arena` beside this one; `cargo build --release -p arena` makes it]
    #[arg(long)]
    arena: Option<PathBuf>,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Until all are connected, joined and present
    Start,
    /// The gateway is killed, or asked to end, and started again
    Restart,
    /// Memory of the bot service
    Memory,
}

/// Starts so many clients of a kind, with everything that they need; a gateway with these settings, for one.
type Start<'a> = &'a dyn Fn(Who, usize, &[&str]) -> anyhow::Result<Rig>;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Who {
    /// Bots of the bot service
    Fleet,
    /// Clients that all do the same at the same time
    Naive,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Who::Fleet => "bot service",
            Who::Naive => "naive clients",
        }
    }
}

impl Args {
    fn count(&self) -> usize {
        self.bots as usize
    }

    fn down(&self) -> anyhow::Result<Duration> {
        Ok(Duration::try_from_secs_f64(self.down_seconds)?)
    }
}

/// Runs the benchmark.
pub fn run(args: &Args) -> anyhow::Result<Report> {
    // The proxy's two ends of each, and the naive clients' own.
    raise_file_limit(3 * u64::from(args.bots))?;
    let arena = find_arena(args.arena.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let start = |who, count, gateway: &[&str]| Rig::start(runtime.handle(), &arena, who, count, gateway);
    let mut report = Report::new("fleet");
    for part in Part::value_variants() {
        if args.only.is_empty() || args.only.contains(part) {
            match part {
                Part::Start => start::measure(args, &start, &mut report)?,
                Part::Restart => restart::measure(args, &start, &mut report)?,
                Part::Memory => memory::measure(args, &start, &mut report)?,
            }
        }
    }
    Ok(report)
}
