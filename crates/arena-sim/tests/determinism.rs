//! The same seed and inputs give the same world: again, after a restore, and on every machine.

mod common;

use arena_sim::{Emote, Input, Tile, TownMap, World, WorldSnapshot};
use common::{bot, join_puppet, join_wanderer, world};

const TICKS: u64 = 10_000;

/// What [`script`] leads to. It changes when the simulation does; it must not change for any other reason.
const GOLDEN: u64 = 0x4841_6251_ffff_d3c7;

/// Players and wanderers who come, walk, talk, fail and go.
fn script(tick: u64) -> Vec<Input> {
    let mut inputs = Vec::new();
    let n = tick as u32;
    match tick {
        1..=24 => inputs.push(join_wanderer(n)),
        25..=28 => inputs.push(join_puppet(n, n as u16, 15)),
        _ => {}
    }
    let (player, other) = (bot(25 + n % 4), bot(1 + n * 7 % 28));
    match tick % 97 {
        3 => inputs
            .push(Input::MoveTo { bot: player, to: Tile::new((n * 13 % 64) as u16, (n * 5 % 48) as u16) }),
        11 => inputs.push(Input::StartConversation { bot: player, with: other }),
        40 => inputs.push(Input::Say { bot: player, text: format!("It is tick {tick}.") }),
        55 => inputs.push(Input::Emote { bot: player, emote: Emote::ALL[n as usize % 6] }),
        77 if tick.is_multiple_of(5) => inputs.push(Input::Leave { bot: bot(1 + n % 24) }),
        80 => inputs.push(join_wanderer(1 + n % 24)),
        _ => {}
    }
    inputs
}

fn play(world: &mut World, until: u64) -> usize {
    let mut effects = Vec::new();
    while world.tick() < until {
        world.step(&script(world.tick() + 1), &mut effects);
    }
    effects.len()
}

/// The world after its snapshot was written down and read again.
fn stored_and_restored(world: &World) -> World {
    let json = serde_json::to_string(&world.snapshot()).expect("a snapshot is plain JSON");
    let snapshot: WorldSnapshot = serde_json::from_str(&json).expect("a snapshot can be read again");
    World::restore(TownMap::town(), snapshot).expect("a snapshot restores")
}

#[test]
fn same_seed_and_inputs_give_the_same_world_on_every_run_and_machine() {
    let (mut one, mut two) = (world(30), world(30));
    assert_eq!(play(&mut one, TICKS), play(&mut two, TICKS));
    assert_eq!(one.state_hash(), two.state_hash());
    assert_eq!(one.state_hash(), GOLDEN, "got {:#018x}", one.state_hash());
}

#[test]
fn another_seed_gives_another_world() {
    let mut one = world(30);
    let mut two = World::new(TownMap::town(), 8, one.settings().clone()).unwrap();
    play(&mut one, 500);
    play(&mut two, 500);
    assert_ne!(one.state_hash(), two.state_hash());
}

#[test]
fn a_restored_world_has_the_same_future() {
    let mut whole = world(30);
    play(&mut whole, TICKS);
    for half in [1, 333, 5_001] {
        let mut first = world(30);
        play(&mut first, half);
        let mut second = stored_and_restored(&first);
        assert_eq!(second.state_hash(), first.state_hash());
        play(&mut second, TICKS);
        assert_eq!(second.state_hash(), whole.state_hash(), "restored at tick {half}");
    }
}

#[test]
fn a_restored_crowd_has_the_same_future() {
    let mut world = world(300);
    let joins: Vec<Input> = (0..300).map(join_wanderer).collect();
    common::step(&mut world, &joins);
    for _ in 0..8 {
        common::run(&mut world, 150);
        let mut copy = stored_and_restored(&world);
        assert_eq!(common::run(&mut copy, 300), common::run(&mut world, 300));
        assert_eq!(copy.state_hash(), world.state_hash());
    }
}

#[test]
fn a_damaged_snapshot_or_another_map_is_refused() {
    let mut world = world(30);
    play(&mut world, 100);
    let snapshot = world.snapshot();
    assert!(World::restore(TownMap::synthetic(64, 64).into(), snapshot.clone()).is_err());
    let mut json = serde_json::to_value(&snapshot).unwrap();
    json["state"]["residents"][3]["stop"] = json["state"]["residents"][4]["stop"].clone();
    json["state"]["residents"][3]["tile"] = json["state"]["residents"][4]["tile"].clone();
    assert!(World::restore(TownMap::town(), serde_json::from_value(json).unwrap()).is_err());
    let mut json = serde_json::to_value(&snapshot).unwrap();
    json["state"]["residents"][0]["tile"] = 4_000_000.into();
    assert!(World::restore(TownMap::town(), serde_json::from_value(json).unwrap()).is_err());
}
