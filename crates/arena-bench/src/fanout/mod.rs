//! `fanout`: messages to rooms, through the gateway and through bare sockets.

mod crowd;
mod peers;
mod servers;
mod trial;

use crate::dialect::PAYLOAD_MIN;
use crate::load::raise_file_limit;
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use anyhow::ensure;
use crowd::Shape;
use servers::Contestant;
use std::net::SocketAddr;
use std::path::PathBuf;
use trial::{HELD_MS_P99, Trial};

/// Arguments of `fanout`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Rooms
    #[arg(long, default_value_t = 334, value_parser = clap::value_parser!(u32).range(1..))]
    rooms: u32,
    /// Sessions in each room
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    members: u32,
    /// Messages a second in each room
    #[arg(long, default_value_t = 5.0)]
    rate: f64,
    /// Size of a message's payload
    #[arg(long, default_value_t = 200)]
    bytes: usize,
    /// How long to measure
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How long the rooms talk before
    #[arg(long, default_value_t = 3)]
    settle_seconds: u64,
    /// Runs of each server, in turns; figures are medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// Leave the highest load out
    #[arg(long)]
    no_ladder: bool,
    /// Measure Redis, socket.io and Colyseus too; needs node and npm, and apt-get where Redis is not installed
    #[arg(long)]
    peers: bool,
    /// The program [default: `arena` beside this one; `cargo build --release -p arena` makes it]
    #[arg(long)]
    arena: Option<PathBuf>,
    /// A gateway that already runs, instead of starting one
    #[arg(long, requires = "pid")]
    at: Option<SocketAddr>,
    /// Its process
    #[arg(long, requires = "at")]
    pid: Option<u32>,
    /// The key to its socket
    #[arg(long, default_value = "")]
    apikey: String,
}

impl Args {
    fn shape(&self) -> Shape {
        Shape { rooms: self.rooms, members: self.members }
    }
}

/// Runs the benchmark.
pub fn run(args: &Args) -> anyhow::Result<Report> {
    ensure!(args.bytes >= PAYLOAD_MIN, "a payload has at least {PAYLOAD_MIN} bytes");
    ensure!(args.rate > 0.0 && args.rate <= 10_000.0, "the rate has to be between 0 and 10,000");
    raise_file_limit(u64::from(args.rooms) * u64::from(args.members))?;
    progress("the gateway's frames");
    let frame = trial::frame_bytes(&Contestant::Gateway, args)?;
    let mut contestants = vec![Contestant::Floor { frame }, Contestant::Gateway];
    if args.peers {
        progress("the peers are installed");
        peers::install()?;
        contestants.extend(peers::PEERS.map(Contestant::Peer));
    }
    let mut trials: Vec<Vec<Trial>> = vec![Vec::new(); contestants.len()];
    for run in 1..=args.runs {
        for (contestant, trials) in contestants.iter().zip(&mut trials) {
            progress(&format!("run {run}: {}", contestant.name()));
            trials.push(trial::measure(contestant, args)?);
        }
    }
    Ok(report(args, &contestants, &trials))
}

fn report(args: &Args, contestants: &[Contestant], trials: &[Vec<Trial>]) -> Report {
    let mut report = Report::new("fanout");
    let per_s = args.rate * f64::from(args.shape().sessions());
    let title = format!(
        "{} rooms of {}, each {} messages of {} bytes a second: {per_s:.0} deliveries a second; medians of {}",
        args.rooms, args.members, args.rate, args.bytes, args.runs
    );
    report.table(cost(title, contestants, trials));
    if !args.no_ladder {
        report.table(ladder(contestants, trials));
    }
    let [floor, gateway] = [0, 1].map(|n| &trials[n]);
    let ratio = median(gateway, |trial| trial.per_cpu_s) / median(floor, |trial| trial.per_cpu_s);
    report.at_least("deliveries for a second of the processor, ratio to the floor", 0.85, ratio);
    report.at_most(
        "memory of the gateway's process for a session, KiB",
        4.0,
        median(gateway, |trial| trial.kib),
    );
    report.at_most("gateway's delivery p99, ms", 5.0, median(gateway, |trial| trial.ms_p99));
    report.note("every member has heard every message of its room exactly once");
    report.note(
        "delivery is counted from when a message was due, so a late sender (ms_late_p99) is part of it",
    );
    report.note(
        "the floor's frames are as long as the gateway's; it has no heartbeats, the gateway one each 25 s",
    );
    report
}

fn cost(title: String, contestants: &[Contestant], trials: &[Vec<Trial>]) -> Table {
    let mut table = Table::new(
        title,
        &[
            "server",
            "per_cpu_s",
            "ratio",
            "cores",
            "kib_session",
            "us_accept",
            "ms_p50",
            "ms_p99",
            "ms_max",
            "ms_late_p99",
            "bytes_wire",
        ],
    );
    let floor = median(&trials[0], |trial| trial.per_cpu_s);
    for (contestant, trials) in contestants.iter().zip(trials) {
        let figure = |of: fn(&Trial) -> f64, decimals| Cell::Number(median(trials, of), decimals);
        let per_cpu_s = median(trials, |trial| trial.per_cpu_s);
        table.row([
            Cell::text(contestant.name()),
            Cell::Number(per_cpu_s, 0),
            Cell::Number(per_cpu_s / floor, 2),
            figure(|trial| trial.cores, 2),
            figure(|trial| trial.kib, 2),
            figure(|trial| trial.accept_us, 1),
            figure(|trial| trial.ms_p50, 2),
            figure(|trial| trial.ms_p99, 2),
            figure(|trial| trial.ms_max, 1),
            figure(|trial| trial.late_ms_p99, 2),
            figure(|trial| trial.bytes, 0),
        ]);
    }
    table
}

fn ladder(contestants: &[Contestant], trials: &[Vec<Trial>]) -> Table {
    let mut table = Table::new(
        format!("highest load held with p99 below {HELD_MS_P99} ms"),
        &["server", "per_room_s", "deliveries_s", "ms_p99", "cores", "load_cores"],
    );
    for (contestant, trials) in contestants.iter().zip(trials) {
        let figure = |of: fn(&Trial) -> f64, decimals| Cell::Number(median(trials, of), decimals);
        table.row([
            Cell::text(contestant.name()),
            figure(|trial| trial.held.per_room_s, 1),
            figure(|trial| trial.held.per_s, 0),
            figure(|trial| trial.held.ms_p99, 2),
            figure(|trial| trial.held.cores, 2),
            figure(|trial| trial.held.load_cores, 2),
        ]);
    }
    table
}

/// The middle one of the runs' figures; the upper one of the two in the middle.
fn median(trials: &[Trial], of: fn(&Trial) -> f64) -> f64 {
    let mut figures: Vec<f64> = trials.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}
