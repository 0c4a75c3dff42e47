//! `start`: the real program, from exec to its first deployed bot, and what it takes when nothing happens.

use crate::latency::Latencies;
use crate::machine::{process_cpu, resident_bytes};
use crate::progress;
use crate::report::Report;
use crate::server::{Server, find_arena};
use crate::table::{Cell, Table};
use anyhow::{Context, ensure};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Arguments of `start`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The program [default: `arena` beside this one; `cargo build --release -p arena` makes it]
    #[arg(long)]
    arena: Option<PathBuf>,
    /// How often it is started
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// How long the idle server is watched
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    idle_seconds: u64,
}

/// One start, all times from exec.
struct Started {
    answering: Duration,
    live: Duration,
}

/// What an idle server takes.
struct Idle {
    bytes: u64,
    cpu: Duration,
}

/// Runs the benchmark.
pub fn run(args: &Args) -> anyhow::Result<Report> {
    let arena = find_arena(args.arena.as_deref())?;
    let (mut answering, mut live, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
    let mut idle = None;
    for n in 1..=args.runs {
        progress(&format!("start {n}"));
        nothing.push(do_nothing(&arena)?);
        let mut server = Server::start(&arena, &[])?;
        let started = first_bot(&mut server)?;
        answering.push(started.answering);
        live.push(started.live);
        if n == args.runs {
            progress("idle");
            idle = Some(watch_idle(&server, args.idle_seconds)?);
        }
    }
    let idle = idle.context("the server was never started")?;
    Ok(report(args, [nothing, answering, live].map(Latencies::new), &idle))
}

fn report(args: &Args, [nothing, answering, live]: [Latencies; 3], idle: &Idle) -> Report {
    let mut report = Report::new("start");
    let mut table = Table::new(
        format!("from exec, {} starts with an empty data directory", args.runs),
        &["what", "ms_p50", "ms_max", "ratio_to_floor"],
    );
    let floor = nothing.ms(50.0);
    for (what, times) in [
        ("floor: `arena --version`, until it has ended", &nothing),
        ("`/healthz` answers", &answering),
        ("the first bot is live", &live),
    ] {
        let (p50, max) = (times.ms(50.0), times.ms(100.0));
        table.row([
            Cell::text(what),
            Cell::Number(p50, 1),
            Cell::Number(max, 1),
            Cell::Number(p50 / floor, 1),
        ]);
    }
    report.table(table);
    let mebibytes = idle.bytes as f64 / 1024.0 / 1024.0;
    let percent = idle.cpu.as_secs_f64() / args.idle_seconds as f64 * 100.0;
    let mut table = Table::new("idle, with that one bot", &["what", "value", "unit"]);
    table.row([Cell::text("memory"), Cell::Number(mebibytes, 1), Cell::text("MiB")]);
    table.row([Cell::text("processor"), Cell::Number(percent, 2), Cell::text("% of a core")]);
    report.table(table);
    report.at_most("slowest first bot, in ms", 1_000.0, live.ms(100.0));
    report.at_most("idle memory, in MiB", 95.4, mebibytes);
    report.note("95.4 MiB are 100 MB; the bot is created over REST as soon as the server answers");
    report
}

/// Starts the program for nothing.
fn do_nothing(arena: &Path) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let output = Command::new(arena).arg("--version").output().context("run arena --version")?;
    ensure!(output.status.success(), "arena --version failed");
    Ok(started.elapsed())
}

/// Creates a bot as soon as the server answers and waits until it is live.
fn first_bot(server: &mut Server) -> anyhow::Result<Started> {
    let answering = server.until_it_answers()?;
    let (status, bot) = server.request("POST", "/api/bots", Some(&json!({ "name": "Ada" })))?;
    ensure!(status == 201, "POST /api/bots answered {status}: {bot}");
    let path = format!("/api/bots/{}", bot["id"].as_str().context("the new bot has no id")?);
    let live = server.until("the first bot is live", |server| {
        let (status, answer) = server.request("GET", &path, None)?;
        ensure!(status == 200, "GET {path} answered {status}: {answer}");
        // The bot alone, or beside the reason why it is not live.
        Ok([&answer["state"], &answer["bot"]["state"]].iter().any(|state| *state == "live"))
    })?;
    Ok(Started { answering, live })
}

fn watch_idle(server: &Server, seconds: u64) -> anyhow::Result<Idle> {
    let pid = server.pid();
    // What starting took is over by then.
    sleep(Duration::from_secs(2));
    let before = process_cpu(&pid)?;
    sleep(Duration::from_secs(seconds));
    Ok(Idle { bytes: resident_bytes(&pid)?, cpu: process_cpu(&pid)? - before })
}
