//! Joining, leaving, walking, and what is refused.

mod common;

use arena_sim::{
    Activity, Arrival, BrainKind, Effect, Heading, Input, MoveKind, Refusal, SettingsError, Tile, TownMap,
    World, WorldSettings,
};
use common::{bot, join_puppet, join_wanderer, run, step, world};

fn refusal(world: &mut World, input: Input) -> Option<Refusal> {
    step(world, &[input]).into_iter().find_map(|effect| match effect {
        Effect::Refused { reason, input: 0, .. } => Some(reason),
        _ => None,
    })
}

#[test]
fn a_join_beyond_the_limit_is_refused_until_somebody_leaves() {
    let mut world = world(2);
    step(&mut world, &[join_wanderer(1), join_wanderer(2)]);
    assert_eq!(refusal(&mut world, join_wanderer(3)), Some(Refusal::WorldFull { limit: 2 }));
    step(&mut world, &[Input::Leave { bot: bot(1) }]);
    assert_eq!(refusal(&mut world, join_wanderer(3)), None);
    assert!(world.contains(bot(3)) && !world.contains(bot(1)) && world.len() == 2);
}

#[test]
fn a_changed_limit_counts_from_the_next_join_and_nobody_is_thrown_out() {
    let mut world = world(3);
    step(&mut world, &[join_wanderer(1), join_wanderer(2)]);
    world.set_max_residents(1).unwrap();
    assert_eq!(refusal(&mut world, join_wanderer(3)), Some(Refusal::WorldFull { limit: 1 }));
    assert_eq!(world.len(), 2);
    assert!(matches!(world.set_max_residents(9_999), Err(SettingsError::MapTooSmall { .. })));
    assert_eq!(world.settings().max_residents, 1);
}

#[test]
fn joining_twice_changes_nothing_even_when_full() {
    let mut world = world(1);
    step(&mut world, &[join_puppet(1, 30, 15)]);
    let again = step(&mut world, &[join_puppet(1, 5, 15)]);
    let Effect::Joined { at, arrival, .. } = again[0] else { panic!("{again:?}") };
    assert_eq!((at, arrival, world.len()), (Tile::new(30, 15), Arrival::AlreadyHere, 1));
}

#[test]
fn a_blocked_or_taken_position_becomes_the_nearest_free_one() {
    let mut world = world(30);
    for n in 0..30 {
        step(&mut world, &[join_puppet(n, 24, 2)]);
    }
    let mut tiles: Vec<Tile> = world.positions().map(|(_, tile)| tile).collect();
    assert!(tiles.iter().all(|tile| world.map().is_free(*tile) && tile.distance(Tile::new(24, 2)) <= 8));
    tiles.sort();
    tiles.dedup();
    assert_eq!(tiles.len(), 30);
    assert_eq!(refusal(&mut world, Input::Leave { bot: bot(0) }), None);
    assert_eq!(refusal(&mut world, join_puppet(99, u16::MAX, u16::MAX)), None);
}

#[test]
fn a_bot_without_a_position_appears_in_its_home_zone() {
    let mut world = world(30);
    for n in 0..25 {
        step(&mut world, &[join_wanderer(n)]);
        let zone = world.get(bot(n)).unwrap().zone.unwrap();
        let expected = ["casino", "dark-alley", "suburb", "downtown", "underground"][n as usize % 5];
        assert_eq!(world.map().zone(zone).unwrap().name, expected);
    }
}

#[test]
fn a_walk_reaches_its_goal_at_the_residents_pace() {
    let mut world = world(30);
    step(&mut world, &[join_puppet(1, 1, 15)]);
    let effects = step(&mut world, &[Input::MoveTo { bot: bot(1), to: Tile::new(61, 15) }]);
    assert!(matches!(effects[0], Effect::Moved { kind: MoveKind::Started, heading: Heading::East, .. }));
    // 60 tiles at 1.25 tiles a second are 48 s, or 240 ticks.
    let effects = run(&mut world, 239);
    assert_eq!(world.get(bot(1)).unwrap().activity, Activity::Walking { to: Tile::new(61, 15) });
    let zones = effects.iter().filter(|effect| matches!(effect, Effect::EnteredZone { .. })).count();
    assert_eq!(zones, 1, "from the suburb, along streets of no zone, into the dark alley");
    let effects = run(&mut world, 2);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Moved { kind: MoveKind::Stopped, .. })));
    assert_eq!(world.get(bot(1)).unwrap().tile, Tile::new(61, 15));
    assert_eq!(world.get(bot(1)).unwrap().activity, Activity::Idle);
}

#[test]
fn every_zone_can_be_walked_to_and_is_announced() {
    let mut world = world(30);
    step(&mut world, &[join_puppet(1, 30, 15)]);
    let map = TownMap::town();
    for (id, zone) in map.zones().iter().enumerate() {
        let mut effects = step(&mut world, &[Input::MoveTo { bot: bot(1), to: zone.spots[0] }]);
        effects.extend(run(&mut world, 600));
        assert_eq!(world.get(bot(1)).unwrap().tile, zone.spots[0], "{}", zone.name);
        let entered =
            effects.iter().any(|e| matches!(e, Effect::EnteredZone { zone, .. } if zone.0 as usize == id));
        assert!(entered, "{}", zone.name);
    }
}

#[test]
fn a_new_goal_in_the_middle_of_a_walk_does_not_make_the_body_jump() {
    let mut world = world(30);
    step(&mut world, &[join_puppet(1, 10, 15)]);
    step(&mut world, &[Input::MoveTo { bot: bot(1), to: Tile::new(40, 15) }]);
    let mut before = world.get(bot(1)).unwrap().pos;
    for n in 0..400u32 {
        let to = Tile::new(10 + (n * 7 % 50) as u16, 15);
        let inputs = if n % 3 == 0 { vec![Input::MoveTo { bot: bot(1), to }] } else { vec![] };
        step(&mut world, &inputs);
        let now = world.get(bot(1)).unwrap().pos;
        let moved = (now.x - before.x).abs() + (now.y - before.y).abs();
        assert!(moved <= 2 * 64 + 2, "{moved} in one tick");
        before = now;
    }
}

#[test]
fn two_who_want_the_same_tile_stop_next_to_each_other() {
    let mut world = world(30);
    step(&mut world, &[join_puppet(1, 1, 15), join_puppet(2, 62, 15)]);
    let to = Tile::new(30, 16);
    step(&mut world, &[Input::MoveTo { bot: bot(1), to }, Input::MoveTo { bot: bot(2), to }]);
    run(&mut world, 300);
    let (one, two) = (world.get(bot(1)).unwrap().tile, world.get(bot(2)).unwrap().tile);
    assert_eq!((one, one.distance(two)), (to, 1));
}

#[test]
fn every_refusal_says_why_and_changes_nothing() {
    let mut world = world(30);
    step(&mut world, &[join_puppet(1, 30, 15), join_puppet(2, 32, 15)]);
    let before: Vec<_> = world.positions().collect();
    let long = "x".repeat(501);
    let named =
        |name: &str| Input::Join { bot: bot(9), name: name.into(), brain: BrainKind::Puppet, position: None };
    let say = |text: &str| Input::Say { bot: bot(1), text: text.into() };
    let conversation = arena_sim::ConversationId(1);
    let cases = [
        (Input::Leave { bot: bot(9) }, Refusal::NotHere),
        (named(""), Refusal::BadName),
        (named("a\nb"), Refusal::BadName),
        (named(&long), Refusal::BadName),
        (Input::MoveTo { bot: bot(1), to: Tile::new(64, 1) }, Refusal::OutsideMap),
        (Input::MoveTo { bot: bot(1), to: Tile::new(0, 0) }, Refusal::Blocked),
        (say(" \n"), Refusal::EmptyText),
        (say(&long), Refusal::TextTooLong { limit: 500 }),
        (Input::StartConversation { bot: bot(1), with: bot(1) }, Refusal::WithSelf),
        (Input::StartConversation { bot: bot(1), with: bot(9) }, Refusal::PartnerNotHere),
        (Input::AcceptConversation { bot: bot(1), conversation }, Refusal::NotInvited),
        (Input::RejectConversation { bot: bot(1), conversation }, Refusal::NotInvited),
        (Input::LeaveConversation { bot: bot(1), conversation }, Refusal::NotInConversation),
    ];
    for (input, expected) in cases {
        assert_eq!(refusal(&mut world, input.clone()), Some(expected), "{input:?}");
    }
    assert_eq!(world.positions().collect::<Vec<_>>(), before);
}

#[test]
fn wanderers_get_about_and_meet() {
    let mut world = world(30);
    let joins: Vec<Input> = (0..30).map(join_wanderer).collect();
    step(&mut world, &joins);
    let effects = run(&mut world, 5 * 60 * 10);
    let count = |wanted: fn(&Effect) -> bool| effects.iter().filter(|effect| wanted(effect)).count();
    let met = count(|effect| matches!(effect, Effect::Met { .. }));
    let spoke = count(|effect| matches!(effect, Effect::Spoke { .. }));
    let zones = count(|effect| matches!(effect, Effect::EnteredZone { .. }));
    let walks = count(|effect| matches!(effect, Effect::Moved { kind: MoveKind::Stopped, .. }));
    assert!(met >= 30 && spoke >= 4 * met && zones >= 60 && walks >= 300, "{met} {spoke} {zones} {walks}");
}

#[test]
fn settings_out_of_range_are_refused() {
    let bad = [
        WorldSettings { tick_ms: 0, ..WorldSettings::default() },
        WorldSettings { max_residents: 0, ..WorldSettings::default() },
        WorldSettings { max_residents: 2_000, ..WorldSettings::default() },
        WorldSettings { max_text_chars: 0, ..WorldSettings::default() },
    ];
    for settings in bad {
        assert!(World::new(TownMap::town(), 1, settings).is_err());
    }
}
