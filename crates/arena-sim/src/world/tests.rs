//! What only the inside can show.

use super::*;
use crate::brain::{BrainKind, Persona};
use crate::map::TownMap;
use uuid::Uuid;

fn crowd(map: TownMap) -> World {
    let mut world = World::new(Arc::new(map), 3, WorldSettings::default()).unwrap();
    let join = |n: u128| {
        let bot = BotId(Uuid::from_u128(n));
        let brain = BrainKind::Wanderer(Persona::for_bot(bot, None, &[]));
        Input::Join { bot, name: format!("Bot {n}"), brain, position: None }
    };
    let joins: Vec<Input> = (0..30).map(join).collect();
    world.step(&joins, &mut Vec::new());
    world
}

#[test]
fn ways_are_the_same_whether_cached_or_not() {
    let (roomy, mut tight) = (TownMap::synthetic(96, 64), TownMap::synthetic(96, 64));
    tight.set_cache_budget(5 * 96 * 64 / 4);
    let (mut one, mut two) = (crowd(roomy), crowd(tight));
    let (mut seen, mut seen_too) = (Vec::new(), Vec::new());
    for _ in 0..2_000 {
        one.step(&[], &mut seen);
        two.step(&[], &mut seen_too);
    }
    assert!(two.state.residents.iter().flatten().any(|resident| !resident.path.is_empty()));
    assert_eq!(seen, seen_too);
    assert_eq!(one.state_hash(), two.state_hash());
}
