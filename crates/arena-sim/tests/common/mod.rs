//! A town and people to put into it.

#![allow(dead_code, reason = "each test binary uses its own part")]

use arena_core::BotId;
use arena_sim::{BrainKind, Effect, Input, Persona, Tile, TownMap, World, WorldSettings};
use uuid::Uuid;

/// Bot number `n`.
pub fn bot(n: u32) -> BotId {
    BotId(Uuid::from_u128(0xa4e7_a000_0000_4000_8000_0000_0000_0000 + u128::from(n)))
}

/// The shipped town with that many places.
pub fn world(max_residents: u32) -> World {
    let settings = WorldSettings { max_residents, ..WorldSettings::default() };
    World::new(TownMap::town(), 7, settings).expect("valid settings")
}

/// Lets a self-steered bot in.
pub fn join_wanderer(n: u32) -> Input {
    let homes = ["casino", "dark-alley", "suburb", "downtown", "underground"];
    let persona = Persona::for_bot(bot(n), Some(homes[n as usize % homes.len()]), &[]);
    Input::Join { bot: bot(n), name: format!("Bot {n}"), brain: BrainKind::Wanderer(persona), position: None }
}

/// Lets a bot in that does only what it is told.
pub fn join_puppet(n: u32, x: u16, y: u16) -> Input {
    let position = Some(Tile::new(x, y));
    Input::Join { bot: bot(n), name: format!("Puppet {n}"), brain: BrainKind::Puppet, position }
}

/// One step's effects.
pub fn step(world: &mut World, inputs: &[Input]) -> Vec<Effect> {
    let mut effects = Vec::new();
    world.step(inputs, &mut effects);
    effects
}

/// The effects of that many steps without inputs.
pub fn run(world: &mut World, ticks: u32) -> Vec<Effect> {
    let mut effects = Vec::new();
    for _ in 0..ticks {
        world.step(&[], &mut effects);
    }
    effects
}
