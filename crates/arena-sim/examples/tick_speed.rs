//! What a tick costs and what a world weighs on this machine: `cargo run --release -p arena-sim --example tick_speed`.

use arena_core::BotId;
use arena_sim::{BrainKind, Input, Persona, TownMap, World, WorldSettings};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

const ZONES: [&str; 5] = ["casino", "dark-alley", "suburb", "downtown", "underground"];

fn crowd(map: &Arc<TownMap>, seed: u64, residents: u32) -> World {
    let settings = WorldSettings { max_residents: residents, ..WorldSettings::default() };
    let mut world = World::new(Arc::clone(map), seed, settings).expect("the map bears the crowd");
    let join = |n: u32| {
        let bot = BotId(Uuid::from_u128(u128::from(seed) << 32 | u128::from(n)));
        let persona = Persona::for_bot(bot, Some(ZONES[n as usize % 5]), &[]);
        Input::Join {
            bot,
            name: format!("Resident {n}"),
            brain: BrainKind::Wanderer(persona),
            position: None,
        }
    };
    let joins: Vec<Input> = (0..residents).map(join).collect();
    world.step(&joins, &mut Vec::new());
    world
}

/// One world's ticks after ten simulated minutes, with every cache warm.
fn one_world(name: &str, map: &Arc<TownMap>, residents: u32) {
    const TICKS: u32 = 20_000;
    let mut world = crowd(map, 1, residents);
    let mut effects = Vec::new();
    let (mut events, mut worst) = (0, 0);
    for _ in 0..3_000 {
        effects.clear();
        let started = Instant::now();
        world.step(&[], &mut effects);
        worst = worst.max(started.elapsed().as_micros());
    }
    let started = Instant::now();
    for _ in 0..TICKS {
        effects.clear();
        world.step(&[], &mut effects);
        events += effects.len();
    }
    let nanos = started.elapsed().as_nanos() / u128::from(TICKS);
    println!(
        "{name}: {residents} residents, {nanos} ns/tick ({} ns/resident), {:.2} effects/tick, {} heap bytes, \
         cold worst {worst} us, cached ways {} KiB",
        nanos / u128::from(residents),
        events as f64 / f64::from(TICKS),
        world.heap_bytes(),
        map.cached_bytes() / 1024,
    );
}

/// Many small worlds in turn, as a node hosts them: nothing stays in the processor's caches.
fn many_worlds(map: &Arc<TownMap>, count: u64) {
    const ROUNDS: u128 = 60;
    let before = resident_bytes();
    let mut worlds: Vec<World> = (0..count).map(|seed| crowd(map, seed, 30)).collect();
    let mut effects = Vec::new();
    let mut round = |worlds: &mut Vec<World>| {
        for world in worlds {
            effects.clear();
            world.step(&[], &mut effects);
            black_box(&effects);
        }
    };
    (0..300).for_each(|_| round(&mut worlds));
    let started = Instant::now();
    (0..ROUNDS).for_each(|_| round(&mut worlds));
    let nanos = started.elapsed().as_nanos() / ROUNDS / u128::from(count);
    let bytes = resident_bytes().saturating_sub(before) / count;
    println!(
        "{count} worlds of 30: {nanos} ns per world-tick, {bytes} resident bytes per world (from the kernel)"
    );
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4_096
}

fn main() {
    let started = Instant::now();
    let town = TownMap::town();
    println!("town read in {} us", started.elapsed().as_micros());
    let started = Instant::now();
    town.warm();
    println!("town warmed in {} us, {} KiB", started.elapsed().as_micros(), town.cached_bytes() / 1024);
    let large = Arc::new(TownMap::synthetic(256, 256));
    let started = Instant::now();
    large.warm();
    println!("synthetic warmed in {} us, {} KiB", started.elapsed().as_micros(), large.cached_bytes() / 1024);
    one_world("town 64x48", &town, 30);
    one_world("town 64x48", &town, 300);
    one_world("town 64x48", &town, 1_000);
    for residents in [30, 300, 1_000, 3_000, 10_000] {
        one_world("synthetic 256x256", &large, residents);
    }
    many_worlds(&town, 10_020);
}
