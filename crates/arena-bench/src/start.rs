//! `start`: the real program, from exec to its first deployed bot, and what it takes when nothing happens.

use crate::http::request;
use crate::latency::Latencies;
use crate::machine::{process_cpu, resident_bytes};
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use anyhow::{Context, bail, ensure};
use arena_testing::{TempDir, free_port};
use serde_json::{Value, json};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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

/// A server that is not there by then never will be.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(1);

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
    let arena = find(args)?;
    let (mut answering, mut live, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
    let mut idle = None;
    for n in 1..=args.runs {
        progress(&format!("start {n}"));
        nothing.push(do_nothing(&arena)?);
        let mut server = Server::start(&arena)?;
        let started = server.first_bot()?;
        answering.push(started.answering);
        live.push(started.live);
        if n == args.runs {
            progress("idle");
            idle = Some(server.idle(args.idle_seconds)?);
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

fn find(args: &Args) -> anyhow::Result<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join("arena"));
    let arena = args.arena.clone().or_else(beside).context("where is this program?")?;
    ensure!(
        arena.is_file(),
        "{} is missing: run `cargo build --release -p arena` first, or name it with --arena",
        arena.display()
    );
    Ok(arena)
}

/// Starts the program for nothing.
fn do_nothing(arena: &Path) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let output = Command::new(arena).arg("--version").output().context("run arena --version")?;
    ensure!(output.status.success(), "arena --version failed");
    Ok(started.elapsed())
}

/// A running server; killed when dropped.
struct Server {
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
    fn start(arena: &Path) -> anyhow::Result<Server> {
        let dir = TempDir::new("bench-start")?;
        let log = File::create(dir.path().join("log"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = Command::new(arena);
        command.args(["serve", "--listen", &address.to_string(), "--data-dir"]).arg(dir.path().join("data"));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let child = command.spawn().context("start arena serve")?;
        Ok(Server { child, address, started, dir })
    }

    fn first_bot(&mut self) -> anyhow::Result<Started> {
        let answering = self.until("`/healthz` answers", |server| {
            Ok(server.get("/healthz").is_ok_and(|(status, _)| status == 200))
        })?;
        let (status, bot) = request(self.address, "POST", "/api/bots", Some(&json!({ "name": "Ada" })))?;
        ensure!(status == 201, "POST /api/bots answered {status}: {bot}");
        let path = format!("/api/bots/{}", bot["id"].as_str().context("the new bot has no id")?);
        let live = self.until("the first bot is live", |server| {
            let (status, answer) = server.get(&path)?;
            ensure!(status == 200, "GET {path} answered {status}: {answer}");
            // The bot alone, or beside the reason why it is not live.
            Ok([&answer["state"], &answer["bot"]["state"]].iter().any(|state| *state == "live"))
        })?;
        Ok(Started { answering, live })
    }

    fn get(&self, path: &str) -> anyhow::Result<(u16, Value)> {
        request(self.address, "GET", path, None)
    }

    /// Asks until it is so; returns the time since exec.
    fn until(
        &mut self,
        what: &str,
        mut holds: impl FnMut(&Server) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Duration> {
        loop {
            if holds(self)? {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("arena serve ended with {status}: {}", self.log());
            }
            ensure!(
                self.started.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {what}; log: {}",
                self.log()
            );
            sleep(POLL);
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default().trim().to_owned()
    }

    fn idle(&self, seconds: u64) -> anyhow::Result<Idle> {
        let pid = self.child.id().to_string();
        // What starting took is over by then.
        sleep(Duration::from_secs(2));
        let before = process_cpu(&pid)?;
        sleep(Duration::from_secs(seconds));
        Ok(Idle { bytes: resident_bytes(&pid)?, cpu: process_cpu(&pid)? - before })
    }
}
