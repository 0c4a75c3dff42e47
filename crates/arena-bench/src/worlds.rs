//! `worlds`: thousands of worlds in one process, each an actor that ticks in real time.

use crate::engine::join;
use crate::latency::Latencies;
use crate::machine::{cores, process_cpu, resident_bytes, thread_cpu};
use crate::progress;
use crate::report::Report;
use crate::roster::{ZONES, traits};
use crate::table::{Cell, Table};
use anyhow::{Context, ensure};
use arena_bus::Bus;
use arena_core::BotId;
use arena_core::channel::ChannelName;
use arena_sim::{TownMap, World, WorldSettings};
use arena_worlds::native::{NativeHost, NativeSettings};
use arena_worlds::{Body, BodyKind, CreateWorld, WorldHost, WorldSummary};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Arguments of `worlds`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Worlds in this process
    #[arg(long, default_value_t = 10_020, value_parser = clap::value_parser!(u32).range(1..))]
    worlds: u32,
    /// Bots in each world
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    bots: u32,
    /// Length of a tick
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=1_000))]
    tick_ms: u32,
    /// How long to measure
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How long the worlds run before
    #[arg(long, default_value_t = 10)]
    settle_seconds: u64,
}

/// Worlds that are filled at the same time.
const FILLING: usize = 64;
/// How often the probe wants to be woken.
const PROBE_EVERY: Duration = Duration::from_millis(10);
/// Ticks of every world that the floor is measured over.
const FLOOR_TICKS: u32 = 40;

/// Runs the benchmark.
pub async fn run(args: &Args) -> anyhow::Result<Report> {
    let map = TownMap::town();
    map.warm();
    let world = WorldSettings { tick_ms: args.tick_ms, max_residents: args.bots, ..WorldSettings::default() };
    let settings = NativeSettings { map, world, mailbox: 64, seed: 1, bus: Bus::default(), talk: None };
    let bytes_before = resident_bytes("self")?;

    progress(&format!("filling {} worlds with {} bots each", args.worlds, args.bots));
    let host = NativeHost::new(settings.clone())?;
    let (started, cpu_before) = (Instant::now(), process_cpu("self")?);
    fill(args, &host).await?;
    let (filled, filling_cpu) = (started.elapsed(), process_cpu("self")? - cpu_before);
    progress("settling");
    tokio::time::sleep(Duration::from_secs(args.settle_seconds)).await;

    progress("measuring");
    let window = measure(args, &host).await?;
    let bytes = resident_bytes("self")?.saturating_sub(bytes_before);
    progress("floor");
    host.shutdown().await;
    drop(host);
    let ticks_before = window.ticks_before / u64::from(args.worlds);
    let floor_ns = bare_tick_ns(args, &settings, ticks_before)?;

    let mut report = Report::new("worlds");
    let due = f64::from(args.worlds) * window.took.as_secs_f64() * 1_000.0 / f64::from(args.tick_ms);
    let real_time = window.ticks as f64 / due;
    let cores_used = window.cpu.as_secs_f64() / window.took.as_secs_f64();
    let tick_ns = window.cpu.as_nanos() as f64 / window.ticks as f64;
    let title = format!(
        "{} worlds of {} bots, {:.0} ticks due a second, for {} s",
        args.worlds,
        args.bots,
        due / window.took.as_secs_f64(),
        args.seconds
    );
    let mut table = Table::new(title, &["what", "value", "unit"]);
    let mut row = |what: &str, value: f64, decimals: usize, unit: &str| {
        table.row([Cell::text(what), Cell::Number(value, decimals), Cell::text(unit)]);
    };
    row("real-time factor", real_time, 4, "ticks done / ticks due");
    row("cores used", cores_used, 3, "cores");
    row("processor time of a tick", tick_ns / 1_000.0, 2, "us");
    row("floor: the bare simulation's", floor_ns / 1_000.0, 2, "us");
    row("ratio to the floor", tick_ns / floor_ns, 2, "x");
    row("lagging worlds", window.lagging as f64, 0, "worlds");
    row("mean tick of a world, p50", window.tick_ms.ms(50.0), 1, "ms");
    row("mean tick of a world, p99", window.tick_ms.ms(99.0), 1, "ms");
    row("mean tick of a world, max", window.tick_ms.ms(100.0), 1, "ms");
    row("lateness of a timer beside them, p50", window.late.ms(50.0), 2, "ms");
    row("lateness of a timer beside them, p99", window.late.ms(99.0), 2, "ms");
    row("lateness of a timer beside them, max", window.late.ms(100.0), 2, "ms");
    row("memory of a world", bytes as f64 / f64::from(args.worlds) / 1024.0, 1, "KiB");
    row("memory of all worlds", bytes as f64 / 1024.0 / 1024.0, 0, "MiB");
    row("filling all worlds", filled.as_secs_f64(), 2, "s");
    row("filling all worlds, processor time", filling_cpu.as_secs_f64(), 2, "s");
    report.table(table);
    report.at_least("real-time factor", 0.99, real_time);
    report.at_most("cores used, one to spare", (cores() as f64 - 1.0).max(1.0), cores_used);
    report.note(
        "floor: as many worlds stepped one after the other in a loop, as old as the measured ones were",
    );
    report.note(
        "a timer in this process notices a wake-up only to the millisecond, so 1 ms of lateness is none",
    );
    Ok(report)
}

/// Creates every world and puts its bots in, some worlds at a time.
async fn fill(args: &Args, host: &NativeHost) -> anyhow::Result<()> {
    let mut tasks: JoinSet<anyhow::Result<()>> = JoinSet::new();
    for n in 0..args.worlds {
        if tasks.len() == FILLING
            && let Some(ended) = tasks.join_next().await
        {
            ended??;
        }
        tasks.spawn(fill_one(host.clone(), n, args.bots));
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

async fn fill_one(host: NativeHost, n: u32, bots: u32) -> anyhow::Result<()> {
    let channel: ChannelName = format!("bench-{}", n + 2).parse()?;
    let world = host.create(CreateWorld { channel, epoch: 1 }).await?;
    let bodies = (0..bots as usize).map(|k| body(n, k)).collect();
    for (bot, outcome) in host.join(&world, bodies).await? {
        outcome.with_context(|| format!("bot {bot} could not join"))?;
    }
    Ok(())
}

fn body(world: u32, n: usize) -> Body {
    Body {
        bot: BotId(Uuid::from_u128(u128::from(world) << 32 | n as u128)),
        kind: BodyKind::Bot,
        epoch: 1,
        name: format!("Bench {n:06}"),
        home_zone: Some(ZONES[n % ZONES.len()].to_owned()),
        traits: traits(n),
        position: None,
    }
}

/// What happened while it was measured.
struct Window {
    took: Duration,
    cpu: Duration,
    /// Ticks of all worlds, before and in it.
    ticks_before: u64,
    ticks: u64,
    lagging: usize,
    tick_ms: Latencies,
    late: Latencies,
}

async fn measure(args: &Args, host: &NativeHost) -> anyhow::Result<Window> {
    let stop = CancellationToken::new();
    let mut probe = JoinSet::new();
    probe.spawn(timer_lateness(stop.clone()));
    let first = ticks_of(&host.list().await?);
    let (started, cpu_before) = (Instant::now(), process_cpu("self")?);
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    let (took, cpu) = (started.elapsed(), process_cpu("self")? - cpu_before);
    let worlds = host.list().await?;
    stop.cancel();
    let late = probe.join_next().await.context("the probe is gone")??;

    ensure!(worlds.len() == args.worlds as usize, "{} of {} worlds are left", worlds.len(), args.worlds);
    let residents: u64 = worlds.iter().map(|world| u64::from(world.residents)).sum();
    ensure!(residents == u64::from(args.worlds) * u64::from(args.bots), "{residents} residents are left");
    let last = ticks_of(&worlds);
    let ticks = last.iter().map(|(world, tick)| tick - first.get(world).copied().unwrap_or(0)).sum();
    let mean = |world: &WorldSummary| Duration::from_secs_f64(world.tick_ms_actual / 1_000.0);
    Ok(Window {
        took,
        cpu,
        ticks_before: first.values().sum(),
        ticks,
        lagging: worlds.iter().filter(|world| world.lagging).count(),
        tick_ms: Latencies::new(worlds.iter().map(mean).collect()),
        late,
    })
}

fn ticks_of(worlds: &[WorldSummary]) -> HashMap<String, u64> {
    worlds.iter().map(|world| (world.hosted.world.to_string(), world.tick)).collect()
}

/// How late a timer fires that shares the runtime with the worlds.
async fn timer_lateness(stop: CancellationToken) -> Latencies {
    let mut late = Vec::new();
    while !stop.is_cancelled() {
        let due = tokio::time::Instant::now() + PROBE_EVERY;
        tokio::time::sleep_until(due).await;
        late.push(due.elapsed());
    }
    Latencies::new(late)
}

/// The same worlds in a loop, without actors, timers and mailboxes.
fn bare_tick_ns(args: &Args, settings: &NativeSettings, ticks_before: u64) -> anyhow::Result<f64> {
    let joins: Vec<_> = (0..args.bots as usize).map(join).collect();
    let mut effects = Vec::new();
    let mut worlds = Vec::with_capacity(args.worlds as usize);
    for seed in 0..u64::from(args.worlds) {
        let mut world = World::new(settings.map.clone(), seed, settings.world.clone())?;
        world.step(&joins, &mut effects);
        for _ in 1..ticks_before {
            effects.clear();
            world.step(&[], &mut effects);
        }
        worlds.push(world);
    }
    let before = thread_cpu()?;
    for _ in 0..FLOOR_TICKS {
        for world in &mut worlds {
            effects.clear();
            world.step(&[], &mut effects);
        }
    }
    let ticks = f64::from(FLOOR_TICKS) * f64::from(args.worlds);
    Ok((thread_cpu()? - before).as_nanos() as f64 / ticks)
}
