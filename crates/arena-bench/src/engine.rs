//! `engine`: the processor time of a simulated second in worlds of 30, 300 and 1,000 residents.

use crate::machine::thread_cpu;
use crate::progress;
use crate::report::Report;
use crate::roster::{ZONES, traits};
use crate::table::{Cell, Table};
use anyhow::Context;
use arena_core::BotId;
use arena_sim::{BrainKind, Input, Persona, TownMap, World, WorldSettings};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Arguments of `engine`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How long to measure, for all worlds together
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

const CROWDS: [u32; 3] = [30, 300, 1_000];
/// The side of the larger map.
const LARGE: u16 = 256;
/// Ticks before the measurement: ten simulated minutes, after which everyone has met and talked.
const WARM_UP: u32 = 3_000;
/// Ticks between two looks at the clock.
const ROUND: u64 = 200;
/// What is measured at once.
const SLICE: Duration = Duration::from_millis(200);

/// Runs the benchmark.
pub fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new("engine");
    let large = Arc::new(TownMap::synthetic(LARGE, LARGE));
    let maps = [("town, 64x48", TownMap::town()), ("synthetic, 256x256", large)];
    let lasting = Duration::from_secs(args.seconds) / (maps.len() * CROWDS.len()) as u32;
    for (name, map) in maps {
        map.warm();
        let table = measure(name, &map, lasting, &mut report)?;
        report.table(table);
    }
    report.note(
        "a tick is 200 ms; ratio_to_linear: against the smallest world's cost per resident in the same run",
    );
    report.note(
        "processor time of the one thread that steps the world, ways warm, after ten simulated minutes",
    );
    Ok(report)
}

fn measure(name: &str, map: &Arc<TownMap>, lasting: Duration, report: &mut Report) -> anyhow::Result<Table> {
    const COLUMNS: [&str; 6] = [
        "residents",
        "cpu_us_per_sim_s",
        "ns_per_resident_tick",
        "ratio_to_linear",
        "effects_per_tick",
        "core_percent",
    ];
    let mut table = Table::new(name, &COLUMNS);
    let mut points = Vec::new();
    for residents in CROWDS {
        progress(&format!("{name}: {residents} residents"));
        let mut world = crowd(map, residents)?;
        let cost = run_for(&mut world, lasting)?;
        let ticks_per_second = 1_000.0 / f64::from(world.settings().tick_ms);
        let sim_second_us = cost.tick_ns / 1_000.0 * ticks_per_second;
        points.push((f64::from(residents), sim_second_us));
        let (first, first_us) = points[0];
        let linear = first_us / first * f64::from(residents);
        table.row([
            Cell::Number(f64::from(residents), 0),
            Cell::Number(sim_second_us, 1),
            Cell::Number(cost.tick_ns / f64::from(residents), 1),
            Cell::Number(sim_second_us / linear, 2),
            Cell::Number(cost.effects_per_tick, 1),
            Cell::Number(sim_second_us / 10_000.0, 4),
        ]);
    }
    report.at_most(format!("{name}: exponent of growth"), 1.2, exponent(&points));
    Ok(table)
}

fn crowd(map: &Arc<TownMap>, residents: u32) -> anyhow::Result<World> {
    let settings = WorldSettings { max_residents: residents, ..WorldSettings::default() };
    let mut world = World::new(Arc::clone(map), 1, settings).context("the map does not bear the crowd")?;
    let joins: Vec<Input> = (0..residents as usize).map(join).collect();
    world.step(&joins, &mut Vec::new());
    anyhow::ensure!(world.len() == residents as usize, "{} of {residents} joined", world.len());
    Ok(world)
}

/// The `n`th resident of a crowd.
pub fn join(n: usize) -> Input {
    let bot = BotId(Uuid::from_u128(n as u128));
    let traits = traits(n);
    let traits: Vec<&str> = traits.iter().map(String::as_str).collect();
    let persona = Persona::for_bot(bot, Some(ZONES[n % ZONES.len()]), &traits);
    Input::Join { bot, name: format!("Bench {n:06}"), brain: BrainKind::Wanderer(persona), position: None }
}

/// What ticks cost.
struct Cost {
    /// Processor time of a tick: the median of all slices, so that a neighbour who takes the cache for a moment does
    /// not count.
    tick_ns: f64,
    effects_per_tick: f64,
}

fn run_for(world: &mut World, lasting: Duration) -> anyhow::Result<Cost> {
    let mut effects = Vec::new();
    for _ in 0..WARM_UP {
        effects.clear();
        world.step(&[], &mut effects);
    }
    let (mut slices, mut ticks, mut happened) = (Vec::new(), 0, 0);
    let started = Instant::now();
    while started.elapsed() < lasting {
        let (cpu, slice, ticks_before) = (thread_cpu()?, Instant::now(), ticks);
        while slice.elapsed() < SLICE {
            for _ in 0..ROUND {
                effects.clear();
                world.step(&[], &mut effects);
                happened += effects.len() as u64;
            }
            ticks += ROUND;
        }
        slices.push((thread_cpu()? - cpu).as_nanos() as f64 / (ticks - ticks_before) as f64);
    }
    slices.sort_unstable_by(f64::total_cmp);
    Ok(Cost { tick_ns: slices[slices.len() / 2], effects_per_tick: happened as f64 / ticks as f64 })
}

/// The slope of the line that fits best through the logarithms.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_of_a_power_is_found() {
        for power in [1.0, 1.2, 2.0] {
            let points = CROWDS.map(|n| (f64::from(n), 7.0 * f64::from(n).powf(power)));
            assert!((exponent(&points) - power).abs() < 1e-9);
        }
    }
}
