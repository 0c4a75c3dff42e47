//! Whatever a host sends, a world stays whole.

mod common;

use arena_sim::{Activity, WorldSettings};
use arena_sim::{BrainKind, ConversationId, Emote, Heading, Input, NoLeave, Persona, Tile, TownMap, World};
use common::{bot, step};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn any_bot() -> impl Strategy<Value = arena_core::BotId> {
    (0u32..14).prop_map(bot)
}

fn any_tile() -> impl Strategy<Value = Tile> {
    (0u16..70, 0u16..50).prop_map(|(x, y)| Tile::new(x, y))
}

fn any_brain() -> impl Strategy<Value = BrainKind> {
    prop_oneof![
        Just(BrainKind::Puppet),
        (any::<u8>(), any::<u8>(), any::<u16>(), any::<u16>()).prop_map(
            |(sociability, restlessness, speed, weight)| {
                let zone_weights = BTreeMap::from([("casino".to_owned(), weight), ("moon".to_owned(), 9)]);
                let home_zone = Some(if weight % 2 == 0 { "casino" } else { "moon" }.to_owned());
                let persona = Persona {
                    sociability,
                    restlessness,
                    speed,
                    zone_weights,
                    home_zone,
                    ..Persona::default()
                };
                BrainKind::Wanderer(persona)
            }
        ),
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    let conversation = || (0u64..60).prop_map(ConversationId);
    prop_oneof![
        4 => (any_bot(), ".{0,70}", any_brain(), proptest::option::of(any_tile()))
            .prop_map(|(bot, name, brain, position)| Input::Join { bot, name, brain, position }),
        1 => any_bot().prop_map(|bot| Input::Leave { bot }),
        3 => (any_bot(), any_tile()).prop_map(|(bot, to)| Input::MoveTo { bot, to }),
        1 => any_bot().prop_map(|bot| Input::Look { bot, heading: Heading::West }),
        3 => (any_bot(), ".{0,20}").prop_map(|(bot, text)| Input::Say { bot, text }),
        5 => (any_bot(), any_bot()).prop_map(|(bot, with)| Input::StartConversation { bot, with }),
        4 => (any_bot(), conversation())
            .prop_map(|(bot, conversation)| Input::AcceptConversation { bot, conversation }),
        1 => (any_bot(), conversation())
            .prop_map(|(bot, conversation)| Input::RejectConversation { bot, conversation }),
        1 => (any_bot(), conversation())
            .prop_map(|(bot, conversation)| Input::LeaveConversation { bot, conversation }),
        1 => any_bot().prop_map(|bot| Input::Emote { bot, emote: Emote::Dance }),
        2 => (any_bot(), proptest::option::of(conversation()), 0u32..4, any::<bool>())
            .prop_map(|(bot, conversation, line, last)| Input::MaySay { bot, conversation, line, last }),
        1 => (any_bot(), proptest::option::of(conversation()), 0u32..4, any::<bool>())
            .prop_map(|(bot, conversation, line, spent)| {
                let reason = if spent { NoLeave::BudgetSpent } else { NoLeave::Unavailable };
                Input::MayNotSay { bot, conversation, line, reason }
            }),
    ]
}

/// What can be seen from outside must hold too, besides the audit.
fn check_views(world: &World) -> Result<(), TestCaseError> {
    let map = world.map();
    for resident in world.residents() {
        prop_assert!(map.is_free(resident.tile));
        prop_assert_eq!(resident.zone, map.zone_at(resident.tile));
        let (x, y) = resident.pos.to_tiles();
        prop_assert!(map.is_free(Tile::new(x as u16, y as u16)), "walks through a wall at {},{}", x, y);
        if let Activity::Talking { with, conversation } = resident.activity {
            let partner = world.get(with).map(|partner| partner.activity);
            prop_assert_eq!(partner, Some(Activity::Talking { with: resident.bot, conversation }));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_sequence_breaks_an_invariant(
        seed: u64,
        asks_before_talk: bool,
        tick_ms in prop_oneof![Just(10u32), Just(200), Just(1_000)],
        ticks in proptest::collection::vec((proptest::collection::vec(any_input(), 0..4), 1u32..40), 1..60),
    ) {
        let settings = WorldSettings { max_residents: 10, tick_ms, asks_before_talk, ..WorldSettings::default() };
        let mut world = World::new(TownMap::town(), seed, settings).unwrap();
        for (inputs, quiet) in ticks {
            let effects = step(&mut world, &inputs);
            prop_assert!(effects.len() >= inputs.len(), "an input without an answer");
            prop_assert!(world.len() <= 10);
            prop_assert_eq!(world.audit(), Ok(()));
            check_views(&world)?;
            for _ in 0..quiet {
                step(&mut world, &[]);
            }
            prop_assert_eq!(world.audit(), Ok(()));
            check_views(&world)?;
        }
        let restored = World::restore(TownMap::town(), world.snapshot()).unwrap();
        prop_assert_eq!(restored.state_hash(), world.state_hash());
    }
}
