//! `admission`: bots without a channel, many callers who each ask for one, and channels that open as they fill.

use crate::databases::{Database, DatabaseChoice, every_bot, open};
use crate::hosts::{self, PausedHost};
use crate::latency::Latencies;
use crate::machine::process_cpu;
use crate::report::Report;
use crate::table::{Cell, Table};
use crate::{progress, roster};
use anyhow::ensure;
use arena_bus::Bus;
use arena_control::{Control, ControlSettings, Services};
use arena_core::BotId;
use arena_core::admission::{AdmissionRules, KindLimits, Op};
use arena_store::{Actor, BotFilter, ChannelRef, Order, PageRequest, Store};
use arena_worlds::WorldHost;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Arguments of `admission`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Bots to assign
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    bots: u32,
    /// Callers at the same time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=250))]
    callers: u16,
    /// Which database
    #[arg(long, value_enum, default_value = "both")]
    database: DatabaseChoice,
    /// How long the floor is measured
    #[arg(long, default_value_t = 3)]
    floor_seconds: u64,
}

const HOUR: Duration = Duration::from_secs(3_600);
/// Orders that the committer puts into one transaction when these many callers wait.
const STORE_BATCH: usize = 64;

/// What was measured of one way to assign.
struct Measured {
    took: Duration,
    /// Processor time of this process; a database server's is not in it.
    cpu: Duration,
    calls: Latencies,
    channels: usize,
}

/// Runs the benchmark.
pub async fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new("admission");
    for database in args.database.start()? {
        let table = measure(args, &database, &mut report).await?;
        report.table(table);
    }
    report.note("checked after each: every bot has a seat, no channel holds more than its limit, every count is right");
    report.note(
        "floor: one-row transactions of the bare database in a narrow table, the same callers; \
         `worlds paused`: the services alone; `worlds running`: sync deploys the bots at the same time",
    );
    Ok(report)
}

async fn measure(args: &Args, database: &Database, report: &mut Report) -> anyhow::Result<Table> {
    const COLUMNS: [&str; 7] =
        ["what", "per_s", "ratio_to_floor", "call_ms_p50", "call_ms_p99", "own_cpu_us_each", "channels"];
    let name = database.name();
    let title = format!("{name}: {} bots, {} callers at the same time", args.bots, args.callers);
    let mut table = Table::new(title, &COLUMNS);

    progress(&format!("{name}: floor"));
    let floor = floor(args, database).await?;
    table.row(
        [Cell::text("floor: one-row transactions"), Cell::Number(floor, 0), Cell::Number(1.0, 2)]
            .into_iter()
            .chain(std::iter::repeat_n(Cell::Blank, 4)),
    );
    let mut row = |what: &str, measured: &Measured| {
        let rate = f64::from(args.bots) / measured.took.as_secs_f64();
        table.row([
            Cell::text(what),
            Cell::Number(rate, 0),
            Cell::Number(rate / floor, 2),
            Cell::Number(measured.calls.ms(50.0), 2),
            Cell::Number(measured.calls.ms(99.0), 2),
            Cell::Number(measured.cpu.as_secs_f64() * 1e6 / f64::from(args.bots), 0),
            Cell::Number(measured.channels as f64, 0),
        ]);
        rate / floor
    };
    progress(&format!("{name}: store alone"));
    row("store, 64 orders a transaction", &through_store(args, database).await?);
    progress(&format!("{name}: services, worlds paused"));
    let ratio = row("services, worlds paused", &through_services(args, database, Worlds::Paused).await?);
    progress(&format!("{name}: services, worlds running"));
    row("services, worlds running", &through_services(args, database, Worlds::Running).await?);
    report.at_least(format!("{name}: assignments a second against the floor"), 0.5, ratio);
    Ok(table)
}

async fn floor(args: &Args, database: &Database) -> anyhow::Result<f64> {
    let own = database.create()?;
    let mut floor = database.floor(&own, usize::from(args.callers)).await?;
    let rate = floor.one_row_rate(Duration::from_secs(args.floor_seconds)).await?;
    floor.close().await?;
    Ok(rate)
}

/// The most that batching can give: one caller who hands full batches to the store.
async fn through_store(args: &Args, database: &Database) -> anyhow::Result<Measured> {
    let own = database.create()?;
    let bots = homeless(&own, args.bots).await?;
    let store = open(&own, AdmissionRules::default()).await?;
    let (started, cpu_before) = (Instant::now(), process_cpu("self")?);
    let mut calls = Vec::new();
    for chunk in bots.chunks(STORE_BATCH) {
        let orders: Vec<Order> = chunk.iter().map(|bot| order(Op::Place { bot: *bot })).collect();
        let begun = Instant::now();
        for outcome in store.carry_out_all(&orders).await? {
            outcome?;
        }
        calls.push(begun.elapsed());
    }
    let (took, cpu) = (started.elapsed(), process_cpu("self")? - cpu_before);
    let channels = check(&store, bots.len()).await?;
    store.close().await;
    Ok(Measured { took, cpu, calls: Latencies::new(calls), channels })
}

/// What the worlds do meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worlds {
    Paused,
    Running,
}

/// Every caller assigns one bot after the other, as a request would.
async fn through_services(args: &Args, database: &Database, worlds: Worlds) -> anyhow::Result<Measured> {
    let own = database.create()?;
    let bots = Arc::new(homeless(&own, args.bots).await?);
    let store = open(&own, AdmissionRules::default()).await?;
    let released = CancellationToken::new();
    let native = hosts::native()?;
    let control = match worlds {
        Worlds::Running => {
            let settings = ControlSettings { sync_every: HOUR, ..ControlSettings::default() };
            Control::start(store.clone(), Arc::new(native.clone()), Bus::default(), settings)
        }
        Worlds::Paused => {
            // The first sync waits for the host and no second one starts beside it.
            let settings = ControlSettings {
                sync_every: HOUR,
                sync_concurrency: 1,
                host_timeout: HOUR,
                ..ControlSettings::default()
            };
            let host: Arc<dyn WorldHost> = Arc::new(PausedHost::new(released.clone()));
            Control::start(store.clone(), host, Bus::default(), settings)
        }
    };
    let (started, cpu_before) = (Instant::now(), process_cpu("self")?);
    let calls = call(&control.services(), &bots, usize::from(args.callers)).await?;
    let (took, cpu) = (started.elapsed(), process_cpu("self")? - cpu_before);
    let channels = check(&store, bots.len()).await?;
    released.cancel();
    ensure!(control.shutdown(Duration::from_secs(30)).await, "the control plane did not stop in time");
    native.shutdown().await;
    store.close().await;
    Ok(Measured { took, cpu, calls, channels })
}

async fn call(services: &Services, bots: &Arc<Vec<BotId>>, callers: usize) -> anyhow::Result<Latencies> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (services, bots, next) = (services.clone(), Arc::clone(bots), Arc::clone(&next));
        tasks.spawn(async move {
            let actor = actor();
            let mut calls = Vec::with_capacity(bots.len() / callers * 2);
            while let Some(bot) = bots.get(next.fetch_add(1, Ordering::Relaxed)) {
                let begun = Instant::now();
                let assigned = services.bots.assign(&actor, *bot, None).await?;
                calls.push(begun.elapsed());
                ensure!(assigned.channel.is_some(), "bot {bot} was assigned nowhere");
            }
            anyhow::Ok(calls)
        });
    }
    let mut all = Vec::with_capacity(bots.len());
    while let Some(ended) = tasks.join_next().await {
        all.extend(ended??);
    }
    Ok(Latencies::new(all))
}

/// A database with bots that nobody has assigned, and without a channel.
async fn homeless(own: &arena_testing::TestDatabase, count: u32) -> anyhow::Result<Vec<BotId>> {
    // In one channel that is large enough for all of them there is only one to delete afterwards.
    let limits = KindLimits { main: 1_000_000, ..KindLimits::default() };
    let store = open(own, AdmissionRules { limits, ..AdmissionRules::default() }).await?;
    let mut channels = BTreeSet::new();
    for chunk in roster::bots(count as usize).chunks(500) {
        channels.extend(store.enroll(&actor(), chunk).await?.touched);
    }
    let bots: Vec<BotId> = every_bot(&store).await?.into_iter().map(|bot| bot.id).collect();
    for chunk in bots.chunks(256) {
        let orders: Vec<Order> =
            chunk.iter().map(|bot| order(Op::Remove { bot: *bot, from: None })).collect();
        for outcome in store.carry_out_all(&orders).await? {
            outcome?;
        }
    }
    for channel in channels {
        store.carry_out(&actor(), Op::Close { channel }).await?;
    }
    store.close().await;
    Ok(bots)
}

/// Whether everyone has a seat and nobody sits on another's. Returns how many channels there are.
async fn check(store: &Store, bots: usize) -> anyhow::Result<usize> {
    let rows = store.all_channels().await?;
    let overfull = rows.iter().find(|row| row.channel.seats.bots > row.channel.seats.max_bots);
    ensure!(overfull.is_none(), "overfull: {overfull:?}");
    let seated: usize = rows.iter().map(|row| row.channel.seats.bots as usize).sum();
    ensure!(seated == bots, "{seated} of {bots} bots have a seat");
    let miscounted = store.miscounted_channels().await?;
    ensure!(miscounted.is_empty(), "miscounted: {miscounted:?}");
    let nowhere = BotFilter { channel: Some(ChannelRef::Nowhere), ..BotFilter::default() };
    let left = store.bots(&nowhere, &PageRequest::first(1)).await?;
    ensure!(left.items.is_empty(), "a bot was left without a channel");
    Ok(rows.len())
}

fn order(op: Op) -> Order {
    Order::new(&actor(), op)
}

fn actor() -> Actor {
    Actor::system()
}
