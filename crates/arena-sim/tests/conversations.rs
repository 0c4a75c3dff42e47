//! Conversations from the invitation to the end.

mod common;

use arena_sim::{
    Activity, ConversationId, Effect, EndReason, Heading, Input, Refusal, Tile, TownMap, World, WorldSettings,
};
use common::{bot, join_puppet, join_wanderer, run, step, world};

/// Two puppets, some way apart, of whom the first has invited the second.
fn invited(settings: WorldSettings) -> (World, ConversationId) {
    let mut world = World::new(TownMap::town(), 7, settings).expect("valid settings");
    step(&mut world, &[join_puppet(1, 10, 15), join_puppet(2, 20, 15), join_puppet(3, 15, 16)]);
    let effects = step(&mut world, &[Input::StartConversation { bot: bot(1), with: bot(2) }]);
    let [Effect::Invited { conversation, by, bot: whom }] = effects[..] else { panic!("{effects:?}") };
    assert_eq!((by, whom), (bot(1), bot(2)));
    (world, conversation)
}

/// Two puppets who talk.
fn talking(settings: WorldSettings) -> (World, ConversationId) {
    let (mut world, conversation) = invited(settings);
    let mut effects = step(&mut world, &[Input::AcceptConversation { bot: bot(2), conversation }]);
    effects.extend(run(&mut world, 60));
    let met = |effect: &Effect| matches!(effect, Effect::Met { a, b, .. } if (*a, *b) == (bot(1), bot(2)));
    assert!(effects.iter().any(met), "{effects:?}");
    (world, conversation)
}

fn ending(effects: &[Effect]) -> Option<(EndReason, u8)> {
    effects.iter().find_map(|effect| match effect {
        Effect::ConversationEnded { reason, messages, .. } => Some((*reason, *messages)),
        _ => None,
    })
}

fn say(n: u32) -> Input {
    Input::Say { bot: bot(n), text: "Well.".to_owned() }
}

#[test]
fn two_who_agree_walk_together_and_face_each_other() {
    let (world, conversation) = talking(WorldSettings::default());
    let (one, two) = (world.get(bot(1)).unwrap(), world.get(bot(2)).unwrap());
    assert!(one.tile.distance(two.tile) <= 2);
    assert_eq!(one.activity, Activity::Talking { conversation, with: bot(2) });
    assert_eq!(Some(one.heading), Heading::between(one.tile, two.tile));
    assert_eq!(Some(two.heading), Heading::between(two.tile, one.tile));
}

#[test]
fn a_conversation_ends_at_the_message_limit() {
    let (mut world, conversation) = talking(WorldSettings::default());
    for n in 0..8 {
        let effects = step(&mut world, &[say(1 + n % 2)]);
        let spoke =
            |e: &Effect| matches!(e, Effect::Spoke { conversation: Some(c), .. } if *c == conversation);
        assert!(effects.iter().any(spoke));
        assert_eq!(ending(&effects), (n == 7).then_some((EndReason::MessageLimit, 8)));
    }
    let aloud = step(&mut world, &[say(1)]);
    assert!(matches!(aloud[..], [Effect::Spoke { conversation: None, .. }]));
}

#[test]
fn a_conversation_ends_at_the_time_limit() {
    let settings =
        WorldSettings { max_messages: 200, max_conversation_ms: 60_000, ..WorldSettings::default() };
    let (mut world, _) = talking(settings);
    let mut effects = Vec::new();
    for n in 0..30 {
        effects.extend(step(&mut world, &[say(1 + n % 2)]));
        effects.extend(run(&mut world, 10));
    }
    assert!(matches!(ending(&effects), Some((EndReason::TimeLimit, 20..=30))), "{:?}", ending(&effects));
}

#[test]
fn silence_ends_a_conversation() {
    let (mut world, _) = talking(WorldSettings::default());
    assert_eq!(ending(&run(&mut world, 240)), None);
    assert_eq!(ending(&run(&mut world, 61)), Some((EndReason::Silence, 0)));
}

#[test]
fn an_invitation_can_be_declined_taken_back_or_left_unanswered() {
    let (mut world, conversation) = invited(WorldSettings::default());
    let effects = step(&mut world, &[Input::RejectConversation { bot: bot(2), conversation }]);
    assert_eq!(ending(&effects), Some((EndReason::Declined, 0)));

    let (mut world, conversation) = invited(WorldSettings::default());
    let effects = step(&mut world, &[Input::LeaveConversation { bot: bot(1), conversation }]);
    assert_eq!(ending(&effects), Some((EndReason::WalkedOut, 0)));

    let (mut world, conversation) = invited(WorldSettings::default());
    assert_eq!(ending(&run(&mut world, 75)), Some((EndReason::NoAnswer, 0)));
    let effects = step(&mut world, &[Input::AcceptConversation { bot: bot(2), conversation }]);
    assert!(matches!(effects[..], [Effect::Refused { reason: Refusal::NotInvited, .. }]));
}

#[test]
fn only_the_invited_can_accept() {
    let (mut world, conversation) = invited(WorldSettings::default());
    for other in [1, 3] {
        let effects = step(&mut world, &[Input::AcceptConversation { bot: bot(other), conversation }]);
        assert!(matches!(effects[..], [Effect::Refused { reason: Refusal::NotInvited, .. }]));
    }
}

#[test]
fn nobody_is_in_two_conversations_or_walks_away_without_leaving() {
    let (mut world, _) = talking(WorldSettings::default());
    let cases = [
        (Input::StartConversation { bot: bot(1), with: bot(3) }, Refusal::InConversation),
        (Input::StartConversation { bot: bot(3), with: bot(1) }, Refusal::PartnerBusy),
        (Input::MoveTo { bot: bot(1), to: Tile::new(2, 15) }, Refusal::InConversation),
    ];
    for (input, expected) in cases {
        let effects = step(&mut world, &[input]);
        assert!(
            matches!(&effects[..], [Effect::Refused { reason, .. }] if *reason == expected),
            "{effects:?}"
        );
    }
}

#[test]
fn leaving_the_world_ends_the_conversation_and_frees_the_other() {
    let (mut world, _) = talking(WorldSettings::default());
    let effects = step(&mut world, &[Input::Leave { bot: bot(2) }]);
    assert_eq!(ending(&effects), Some((EndReason::LeftWorld, 0)));
    assert_eq!(world.get(bot(1)).unwrap().activity, Activity::Idle);
    assert_eq!(world.audit(), Ok(()));
}

#[test]
fn two_too_far_apart_give_up() {
    let settings = WorldSettings { approach_timeout_ms: 2_000, ..WorldSettings::default() };
    let (mut world, conversation) = invited(settings);
    let mut effects = step(&mut world, &[Input::AcceptConversation { bot: bot(2), conversation }]);
    effects.extend(run(&mut world, 20));
    assert_eq!(ending(&effects), Some((EndReason::CouldNotMeet, 0)));
}

#[test]
fn wanderers_take_turns_and_stay_within_the_limits() {
    let mut world = world(30);
    let joins: Vec<Input> = (0..30).map(join_wanderer).collect();
    step(&mut world, &joins);
    let effects = run(&mut world, 6_000);
    let mut ends = 0;
    for effect in &effects {
        if let Effect::ConversationEnded { conversation, messages, a, b, .. } = effect {
            let lines = effects.iter().filter_map(|e| match e {
                Effect::Spoke { bot, conversation: Some(c), text } if c == conversation => Some((bot, text)),
                _ => None,
            });
            let lines: Vec<_> = lines.collect();
            assert!(lines.len() == usize::from(*messages) && *messages <= 8);
            for (n, (speaker, text)) in lines.iter().enumerate() {
                assert_eq!(**speaker, if n % 2 == 0 { *a } else { *b });
                assert!(!text.contains(['{', '}']) && text.chars().count() <= 500);
            }
            ends += 1;
        }
    }
    assert!(ends > 20, "{ends}");
}

#[test]
fn a_wanderer_answers_a_player() {
    let mut world = world(30);
    step(&mut world, &[join_puppet(1, 30, 15), join_wanderer(2)]);
    let answered = (0..20).any(|_| {
        let mut effects = step(&mut world, &[Input::StartConversation { bot: bot(1), with: bot(2) }]);
        effects.extend(run(&mut world, 200));
        effects.extend(step(&mut world, &[say(1)]));
        effects.extend(run(&mut world, 300));
        effects
            .iter()
            .any(|e| matches!(e, Effect::Spoke { bot: b, conversation: Some(_), .. } if *b == bot(2)))
    });
    assert!(answered);
}
