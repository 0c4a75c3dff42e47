//! `healing`: every world vanishes at once; how long until every bot is live again.

use crate::databases::{Database, DatabaseChoice, every_bot, open};
use crate::floor::Floor;
use crate::latency::Latencies;
use crate::report::Report;
use crate::table::{Cell, Table};
use crate::{hosts, progress, roster};
use anyhow::{bail, ensure};
use arena_bus::Bus;
use arena_control::{Control, ControlSettings, Services};
use arena_core::admission::AdmissionRules;
use arena_store::{Actor, Store, now};
use arena_worlds::WorldHost;
use arena_worlds::native::NativeHost;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Arguments of `healing`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Bots that live in the worlds
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    bots: u32,
    /// Fewer channels than this are an error
    #[arg(long, default_value_t = 334)]
    channels_at_least: usize,
    /// How often all worlds are wiped
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    wipes: u8,
    /// Which database
    #[arg(long, value_enum, default_value = "both")]
    database: DatabaseChoice,
}

const HOUR: Duration = Duration::from_secs(3_600);
/// Whoever is not live by then never will be.
const PATIENCE: Duration = Duration::from_secs(120);
/// What healing writes of each bot: its world is gone, it is being deployed, it is live.
const WRITES_PER_BOT: u64 = 3;
/// Connections that the store has by default.
const CONNECTIONS: usize = 16;

/// Runs the benchmark.
pub async fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new("healing");
    for database in args.database.start()? {
        let table = measure(args, &database, &mut report).await?;
        report.table(table);
    }
    report.note("times are from the call that wipes all worlds, in the store's own record of each bot");
    report.note("the sweep runs once an hour here: whatever heals is woken by the host's events");
    report.note(
        "floor: the bare database writes each bot's row once, or three times as healing does (world gone, deploying, \
         live), a channel's bots in a transaction",
    );
    Ok(report)
}

async fn measure(args: &Args, database: &Database, report: &mut Report) -> anyhow::Result<Table> {
    let name = database.name();
    let own = database.create()?;
    let store = open(&own, AdmissionRules::default()).await?;
    let host = hosts::native()?;
    let settings = ControlSettings { sync_every: HOUR, ..ControlSettings::default() };
    let control = Control::start(store.clone(), Arc::new(host.clone()), Bus::default(), settings);
    let services = control.services();

    progress(&format!("{name}: import and first deployment"));
    let bots = u64::from(args.bots);
    let started = Instant::now();
    services.bots.import(&Actor::system(), roster::bots(args.bots as usize)).await?;
    let imported = started.elapsed();
    all_live(&services, 0, bots).await?;
    let deployed = started.elapsed();
    let channels = store.all_channels().await?.len();
    ensure!(channels >= args.channels_at_least, "{channels} channels, {} wanted", args.channels_at_least);

    const COLUMNS: [&str; 6] =
        ["what", "seconds", "ratio_to_floor", "bot_ms_p50", "bot_ms_p99", "channel_ms_max"];
    let title = format!("{name}: {bots} bots in {channels} worlds");
    let mut table = Table::new(title, &COLUMNS);
    let plain = |what: String, took: Duration| {
        let cells = [Cell::Text(what), Cell::Number(took.as_secs_f64(), 2)];
        cells.into_iter().chain(std::iter::repeat_n(Cell::Blank, 4))
    };
    table.row(plain("import".to_owned(), imported));
    table.row(plain("import until all live".to_owned(), deployed));

    let mut healed = Vec::new();
    for n in 1..=args.wipes {
        progress(&format!("{name}: wipe {n}"));
        healed.push(wipe_and_heal(&services, &store, bots).await?);
    }
    check(&host, bots).await?;
    ensure!(control.shutdown(Duration::from_secs(30)).await, "the control plane did not stop in time");
    host.shutdown().await;
    store.close().await;

    progress(&format!("{name}: floor"));
    let (once, thrice) = floor(database, &own, channels as u64, bots).await?;
    table.row(plain("floor: each bot written once".to_owned(), once));
    table.row(plain("floor: each bot written three times".to_owned(), thrice));
    let mut worst = 0.0_f64;
    for (n, healing) in healed.iter().enumerate() {
        let seconds = healing.took.as_secs_f64();
        worst = worst.max(seconds);
        table.row([
            Cell::Text(format!("wipe {}", n + 1)),
            Cell::Number(seconds, 2),
            Cell::Number(seconds / thrice.as_secs_f64(), 1),
            Cell::Number(healing.bots.ms(50.0), 0),
            Cell::Number(healing.bots.ms(99.0), 0),
            Cell::Number(healing.channels.ms(100.0), 0),
        ]);
    }
    report.at_most(format!("{name}: slowest healing, in seconds"), 5.0, worst);
    Ok(table)
}

/// One wipe.
struct Healing {
    /// From the call until nobody was missing.
    took: Duration,
    /// When each bot was recorded as live.
    bots: Latencies,
    /// When the last bot of each channel was.
    channels: Latencies,
}

async fn wipe_and_heal(services: &Services, store: &Store, bots: u64) -> anyhow::Result<Healing> {
    let before = services.health.sync_totals().deployed;
    let (wiped_at, started) = (now(), Instant::now());
    services.worlds.wipe(&Actor::system(), None).await?;
    all_live(services, before, bots).await?;
    let took = started.elapsed();
    let mut by_bot = Vec::new();
    let mut by_channel = BTreeMap::new();
    for bot in every_bot(store).await? {
        let after = bot.changed_at.since(wiped_at);
        ensure!(bot.changed_at >= wiped_at, "bot {} was live all the time", bot.id);
        by_bot.push(after);
        let last: &mut Duration = by_channel.entry(bot.channel).or_default();
        *last = after.max(*last);
    }
    let channels = Latencies::new(by_channel.into_values().collect());
    Ok(Healing { took, bots: Latencies::new(by_bot), channels })
}

/// Waits until every bot is live in the store, which is asked only once so many have been deployed since `before`.
async fn all_live(services: &Services, before: u64, bots: u64) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut live = 0;
    while started.elapsed() < PATIENCE {
        if services.health.sync_totals().deployed >= before + bots {
            live = services.bots.totals().await?.1;
            if live == bots {
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let deployed = services.health.sync_totals().deployed - before;
    bail!("{live} of {bots} bots were live after {PATIENCE:?}, {deployed} had been deployed")
}

/// Whether everyone really is in a world.
async fn check(host: &NativeHost, bots: u64) -> anyhow::Result<()> {
    let residents: u64 = host.list().await?.iter().map(|world| u64::from(world.residents)).sum();
    ensure!(residents == bots, "{residents} residents for {bots} bots");
    Ok(())
}

async fn floor(
    database: &Database,
    own: &arena_testing::TestDatabase,
    channels: u64,
    bots: u64,
) -> anyhow::Result<(Duration, Duration)> {
    let rows = i64::try_from(bots.div_ceil(channels))?;
    let mut floor: Floor = database.floor(own, CONNECTIONS).await?;
    let once = floor.batches(channels, rows).await?;
    let thrice = floor.batches(channels * WRITES_PER_BOT, rows).await?;
    floor.close().await?;
    Ok((once, thrice))
}
