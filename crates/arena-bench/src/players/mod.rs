//! `players`: people in live worlds, through the real program.

mod crowd;
mod door;
mod news;
mod spread;
mod town;

use crate::load::raise_file_limit;
use crate::machine::{cores, process_cpu, resident_bytes};
use crate::progress;
use crate::report::Report;
use crate::server::{ANONYMOUS, Server, find_arena};
use crate::table::{Cell, Table};
use anyhow::ensure;
use crowd::{Crowd, Heard};
use door::{Door, Line};
use std::path::PathBuf;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

/// Arguments of `players`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Worlds
    #[arg(long, default_value_t = 334, value_parser = clap::value_parser!(u32).range(1..))]
    worlds: u32,
    /// Players in each world
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=900))]
    players: u32,
    /// Bots in each world
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=50))]
    bots: u32,
    /// One in so many players moves
    #[arg(long, default_value_t = 10, value_parser = parse_one_in)]
    movers_one_in: usize,
    /// Seconds between two moves of a player
    #[arg(long, default_value_t = 3.0)]
    move_seconds: f64,
    /// Players that leave, and players that join, each second
    #[arg(long, default_value_t = 200.0)]
    churn: f64,
    /// How long to measure, without joins and with them
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How long everybody lives before that
    #[arg(long, default_value_t = 5)]
    settle_seconds: u64,
    /// The program [default: `arena` beside this one; `cargo build --release -p arena` makes it]
    #[arg(long)]
    arena: Option<PathBuf>,
}

fn parse_one_in(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number of at least 1 is wanted".to_owned()),
        Ok(one_in) => Ok(one_in),
    }
}

/// Seats of a world that nobody needs but for those who come before others have gone.
const SPARE_SEATS: u32 = 20;

/// What a phase took and brought.
struct Phase {
    took: Duration,
    server: Duration,
    load: Duration,
    heard: Heard,
}

/// Runs the benchmark.
pub fn run(args: &Args) -> anyhow::Result<Report> {
    ensure!(args.move_seconds > 0.0 && args.churn >= 0.0, "times and rates are not negative");
    raise_file_limit(u64::from(args.worlds) * u64::from(args.players))?;
    let mut server = Server::start(&find_arena(args.arena.as_deref())?, &ANONYMOUS)?;
    server.until_it_answers()?;
    progress(&format!("{} worlds with {} bots each", args.worlds, args.bots));
    town::build(&mut server, args.worlds, args.bots, args.players + args.bots + SPARE_SEATS)?;
    let line = Line::default();
    scope(|threads| {
        let crowd = Crowd::new(args, Door::open(threads, server.address(), &line))?;
        measure(args, &server, crowd)
    })
}

fn measure(args: &Args, server: &Server, mut crowd: Crowd<'_>) -> anyhow::Result<Report> {
    let (pid, sessions) = (server.pid(), args.worlds * args.players);
    let settle = Duration::from_secs(args.settle_seconds);
    sleep(settle);
    progress("the worlds alone");
    let (begun, cpu) = (Instant::now(), process_cpu(&pid)?);
    sleep(settle.max(Duration::from_secs(1)));
    let alone = (process_cpu(&pid)? - cpu).as_secs_f64() / begun.elapsed().as_secs_f64();
    let bytes = resident_bytes(&pid)?;

    progress(&format!("{sessions} players join"));
    let cpu = process_cpu(&pid)?;
    let filled = crowd.fill()?;
    let joining = (process_cpu(&pid)? - cpu).as_secs_f64() * 1e6 / f64::from(sessions);
    crowd.live(0.0, settle)?;
    let bytes = [bytes, resident_bytes(&pid)?];
    progress("they live");
    let length = Duration::from_secs(args.seconds);
    let mut calm = phase(&pid, || crowd.live(0.0, length))?;
    progress(&format!("{} a second go, as many come", args.churn));
    let mut busy = phase(&pid, || crowd.live(args.churn, length))?;
    crowd.settle()?;
    ensure!(crowd.present() == sessions as usize, "{} of {sessions} players are left", crowd.present());

    let mut report = Report::new("players");
    let mut once = Table::new(
        format!("{} worlds of {} players and {} bots", args.worlds, args.players, args.bots),
        &["what", "value", "unit"],
    );
    let mut row = |what: &str, value: f64, decimals: usize, unit: &str| {
        once.row([Cell::text(what), Cell::Number(value, decimals), Cell::text(unit)]);
    };
    row("processor of the worlds alone", alone, 2, "cores");
    row("all players joined within", filled.as_secs_f64(), 1, "s");
    row("processor time of a join", joining, 0, "us");
    let [before, after] = bytes.map(|bytes| bytes as f64);
    row("memory of a session and its body", (after - before) / f64::from(sessions) / 1024.0, 1, "KiB");
    row("memory of all", after / 1024.0 / 1024.0, 0, "MiB");
    report.table(once);
    let lost = [&calm, &busy].iter().map(|phase| phase.heard.gaps).sum::<u64>();
    let used = busy.server.as_secs_f64() / busy.took.as_secs_f64();
    let late = busy.heard.late;
    report.table(phases(args, [&mut calm, &mut busy]));
    report.at_most("messages that a member has missed or heard twice", 0.0, lost as f64);
    report.at_most(
        "cores used while players come and go, one to spare",
        (cores() as f64 - 1.0).max(1.0),
        used,
    );
    report.at_most("changes put off because the last ones were not done", 0.0, late as f64);
    report.note("delivery: from a message's arrival at the first member of a world to each other member's");
    report
        .note("a join is timed from the wish to the snapshot: seat over REST, handshake, join of the topic");
    Ok(report)
}

fn phase(pid: &str, live: impl FnOnce() -> anyhow::Result<Heard>) -> anyhow::Result<Phase> {
    let (begun, ours, theirs) = (Instant::now(), process_cpu("self")?, process_cpu(pid)?);
    let heard = live()?;
    let (server, load) = (process_cpu(pid)? - theirs, process_cpu("self")? - ours);
    Ok(Phase { took: begun.elapsed(), server, load, heard })
}

fn phases(args: &Args, [calm, busy]: [&mut Phase; 2]) -> Table {
    let title = format!(
        "one player in {} moves every {} s; without and with {} joins and leaves a second",
        args.movers_one_in, args.move_seconds, args.churn
    );
    let mut table = Table::new(title, &["what", "calm", "busy", "unit"]);
    let [spread, answered, shown, joins, leaves] = {
        let [calm, busy] = [calm.heard.latencies(), busy.heard.latencies()];
        let mut pairs = calm.into_iter().zip(busy);
        std::array::from_fn(|_| pairs.next())
    };
    let mut row = |what: &str, of: &dyn Fn(&Phase) -> f64, decimals: usize, unit: &str| {
        let [calm, busy] = [of(calm), of(busy)].map(|figure| Cell::Number(figure, decimals));
        table.row([Cell::text(what), calm, busy, Cell::text(unit)]);
    };
    let seconds = |phase: &Phase| phase.took.as_secs_f64();
    row("deliveries", &|phase| phase.heard.deliveries as f64 / seconds(phase), 0, "a second");
    row("bytes of a delivery", &|phase| phase.heard.bytes as f64 / phase.heard.deliveries as f64, 0, "bytes");
    row("server", &|phase| phase.server.as_secs_f64() / seconds(phase), 2, "cores");
    row("load generator", &|phase| phase.load.as_secs_f64() / seconds(phase), 2, "cores");
    row("inputs refused", &|phase| phase.heard.refused as f64 / seconds(phase), 1, "a second");
    for (what, pair) in [
        ("delivery", spread),
        ("input until answered", answered),
        ("input until in a delta", shown),
        ("join", joins),
        ("giving a seat back", leaves),
    ] {
        let Some((calm, busy)) = pair else { continue };
        for (name, percent) in [("p50", 50.0), ("p99", 99.0), ("max", 100.0)] {
            let cell = |latency: &crate::latency::Latencies| match latency.ms(percent) {
                0.0 => Cell::Blank,
                ms => Cell::Number(ms, 2),
            };
            table.row([Cell::text(format!("{what}, {name}")), cell(&calm), cell(&busy), Cell::text("ms")]);
        }
    }
    table
}
