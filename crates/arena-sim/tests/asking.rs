//! Where lines need leave, nothing is heard before it is given, and nobody waits for ever.

mod common;

use arena_sim::{
    ConversationId, Effect, EndReason, Input, NoLeave, Refusal, Tile, TownMap, Unsaid, Wish, World,
    WorldSettings,
};
use common::{bot, join_puppet, join_wanderer, run, step};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn asking() -> WorldSettings {
    WorldSettings { asks_before_talk: true, ..WorldSettings::default() }
}

fn world_of(settings: WorldSettings) -> World {
    World::new(TownMap::town(), 7, settings).expect("valid settings")
}

/// Two puppets who talk.
fn talking(settings: WorldSettings) -> (World, ConversationId) {
    let mut world = world_of(settings);
    step(&mut world, &[join_puppet(1, 10, 15), join_puppet(2, 12, 15)]);
    let effects = step(&mut world, &[Input::StartConversation { bot: bot(1), with: bot(2) }]);
    let [Effect::Invited { conversation, .. }] = effects[..] else { panic!("{effects:?}") };
    let mut effects = step(&mut world, &[Input::AcceptConversation { bot: bot(2), conversation }]);
    effects.extend(run(&mut world, 20));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Met { .. })), "{effects:?}");
    (world, conversation)
}

fn say(n: u32) -> Input {
    Input::Say { bot: bot(n), text: "Well.".to_owned() }
}

fn may(wish: &Wish) -> Input {
    Input::MaySay { bot: wish.bot, conversation: wish.conversation, line: wish.line, last: false }
}

fn may_not(wish: &Wish, reason: NoLeave) -> Input {
    Input::MayNotSay { bot: wish.bot, conversation: wish.conversation, line: wish.line, reason }
}

fn wishes(effects: &[Effect]) -> Vec<Wish> {
    let wish = |effect: &Effect| match effect {
        Effect::WantsToSay(wish) => Some((**wish).clone()),
        _ => None,
    };
    effects.iter().filter_map(wish).collect()
}

fn spoken(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Spoke { .. })).count()
}

fn unsaid(effects: &[Effect]) -> Vec<(u32, Unsaid)> {
    let of = |effect: &Effect| match effect {
        Effect::Unsaid { line, reason, .. } => Some((*line, *reason)),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn ending(effects: &[Effect]) -> Option<(EndReason, u8)> {
    effects.iter().find_map(|effect| match effect {
        Effect::ConversationEnded { reason, messages, .. } => Some((*reason, *messages)),
        _ => None,
    })
}

fn refusal(effects: &[Effect]) -> Option<Refusal> {
    effects.iter().find_map(|effect| match effect {
        Effect::Refused { reason, .. } => Some(reason.clone()),
        _ => None,
    })
}

#[test]
fn a_line_is_heard_when_it_may_be_said_and_not_before() {
    let (mut world, conversation) = talking(asking());
    let effects = step(&mut world, &[Input::Look { bot: bot(2), heading: arena_sim::Heading::East }, say(1)]);
    let wish = wishes(&effects).remove(0);
    let expected =
        Wish { bot: bot(1), conversation: Some(conversation), line: 1, text: "Well.".into(), input: Some(1) };
    assert_eq!((&wish, spoken(&effects)), (&expected, 0));
    assert_eq!(spoken(&run(&mut world, 50)), 0);
    let effects = step(&mut world, &[may(&wish)]);
    let heard = Effect::Spoke { bot: bot(1), conversation: Some(conversation), text: "Well.".to_owned() };
    assert_eq!(effects, [heard]);
}

#[test]
fn a_line_without_a_budget_ends_the_conversation() {
    let (mut world, _) = talking(asking());
    let wish = wishes(&step(&mut world, &[say(1)])).remove(0);
    step(&mut world, &[may(&wish)]);
    let wish = wishes(&step(&mut world, &[say(2)])).remove(0);
    let effects = step(&mut world, &[may_not(&wish, NoLeave::BudgetSpent)]);
    assert_eq!(unsaid(&effects), [(2, Unsaid::BudgetSpent)]);
    assert_eq!((ending(&effects), spoken(&effects)), (Some((EndReason::BudgetSpent, 1)), 0));
    assert_eq!(world.audit(), Ok(()));
}

#[test]
fn a_line_that_spends_the_budget_is_heard_and_ends_the_conversation() {
    let (mut world, conversation) = talking(asking());
    let Wish { bot, line, .. } = wishes(&step(&mut world, &[say(1)])).remove(0);
    let may = Input::MaySay { bot, conversation: Some(conversation), line, last: true };
    let effects = step(&mut world, &[may]);
    assert_eq!((spoken(&effects), ending(&effects)), (1, Some((EndReason::BudgetSpent, 1))));
}

#[test]
fn a_line_that_could_not_be_said_is_dropped_and_the_talk_goes_on_until_it_happens_again_and_again() {
    let (mut world, _) = talking(asking());
    let attempt = |world: &mut World, reason: Option<NoLeave>| {
        let wish = wishes(&step(world, &[say(1)])).remove(0);
        step(world, &[reason.map_or_else(|| may(&wish), |reason| may_not(&wish, reason))])
    };
    for _ in 0..2 {
        assert_eq!(ending(&attempt(&mut world, Some(NoLeave::Unavailable))), None);
        assert_eq!(ending(&attempt(&mut world, Some(NoLeave::Unavailable))), None);
        assert_eq!(spoken(&attempt(&mut world, None)), 1);
    }
    attempt(&mut world, Some(NoLeave::Unavailable));
    attempt(&mut world, Some(NoLeave::Unavailable));
    let effects = attempt(&mut world, Some(NoLeave::Unavailable));
    assert_eq!(ending(&effects), Some((EndReason::Silence, 2)));
}

#[test]
fn a_conversation_whose_verdict_never_comes_ends_in_silence_and_a_late_one_changes_nothing() {
    let (mut world, _) = talking(asking());
    let wish = wishes(&step(&mut world, &[say(1)])).remove(0);
    assert_eq!(ending(&run(&mut world, 299)), None);
    let effects = run(&mut world, 1);
    assert_eq!(unsaid(&effects), [(1, Unsaid::NoVerdict)]);
    assert_eq!(ending(&effects), Some((EndReason::Silence, 0)));
    let before = world.positions().collect::<Vec<_>>();
    let effects = step(&mut world, &[may(&wish), may_not(&wish, NoLeave::BudgetSpent)]);
    assert_eq!((effects.len(), refusal(&effects)), (2, Some(Refusal::NotWaiting)));
    assert_eq!(world.positions().collect::<Vec<_>>(), before);
}

#[test]
fn a_verdict_that_comes_twice_counts_once() {
    let (mut world, _) = talking(asking());
    let wish = wishes(&step(&mut world, &[say(1)])).remove(0);
    let effects = step(&mut world, &[may(&wish), may(&wish)]);
    assert_eq!((spoken(&effects), refusal(&effects)), (1, Some(Refusal::NotWaiting)));
    let effects = step(&mut world, &[may_not(&wish, NoLeave::BudgetSpent)]);
    assert_eq!((ending(&effects), refusal(&effects)), (None, Some(Refusal::NotWaiting)));
}

#[test]
fn only_the_speaker_of_that_conversation_gets_leave_for_that_line() {
    let (mut world, conversation) = talking(asking());
    let wish = wishes(&step(&mut world, &[say(1)])).remove(0);
    for wrong in [
        Wish { bot: bot(2), ..wish.clone() },
        Wish { bot: bot(9), ..wish.clone() },
        Wish { line: 2, ..wish.clone() },
        Wish { conversation: None, ..wish.clone() },
        Wish { conversation: Some(ConversationId(conversation.0 + 1)), ..wish.clone() },
    ] {
        let effects = step(&mut world, &[may(&wrong)]);
        assert!(matches!(effects[..], [Effect::Refused { .. }]), "{wrong:?}: {effects:?}");
    }
    assert_eq!(spoken(&step(&mut world, &[may(&wish)])), 1);
}

#[test]
fn so_many_lines_wait_and_no_more_and_never_past_the_message_limit() {
    let (mut world, _) = talking(WorldSettings { max_messages: 5, ..asking() });
    let effects = step(&mut world, &[say(1), say(2), say(1), say(2), say(1)]);
    let asked = wishes(&effects);
    assert_eq!((asked.len(), refusal(&effects)), (4, Some(Refusal::TooManyLines)));
    let leave: Vec<Input> = asked[..3].iter().map(may).collect();
    assert_eq!(spoken(&step(&mut world, &leave)), 3);
    let effects = step(&mut world, &[say(2), say(1)]);
    assert_eq!((wishes(&effects).len(), refusal(&effects)), (1, Some(Refusal::TooManyLines)));
    assert_eq!(wishes(&effects)[0].line, 5, "numbers are never used twice");
}

#[test]
fn whoever_walks_out_leaves_nothing_waiting() {
    let (mut world, conversation) = talking(asking());
    let wish = wishes(&step(&mut world, &[say(1)])).remove(0);
    let effects = step(&mut world, &[Input::LeaveConversation { bot: bot(2), conversation }, may(&wish)]);
    assert_eq!((unsaid(&effects), spoken(&effects)), (vec![(1, Unsaid::Over)], 0));
    assert_eq!(refusal(&effects), Some(Refusal::NotWaiting));
}

#[test]
fn a_line_aloud_needs_leave_too() {
    let mut world = world_of(asking());
    step(&mut world, &[join_puppet(1, 10, 15)]);
    let asked = wishes(&step(&mut world, &[say(1), say(1), say(1)]));
    assert_eq!((asked[2].conversation, asked[2].line), (None, 3));
    let aloud = Effect::Spoke { bot: bot(1), conversation: None, text: "Well.".to_owned() };
    assert_eq!(step(&mut world, &[may(&asked[1])]), [aloud]);
    let effects = step(&mut world, &[may_not(&asked[0], NoLeave::BudgetSpent), may(&asked[1])]);
    assert_eq!((unsaid(&effects), spoken(&effects)), (vec![(1, Unsaid::BudgetSpent)], 0));
    assert_eq!(unsaid(&run(&mut world, 298)), [(3, Unsaid::NoVerdict)]);
    let asked = wishes(&step(&mut world, &[say(1), say(1), say(1), say(1), say(1)]));
    assert_eq!(asked.len(), 4);
    let effects = step(&mut world, &[Input::Leave { bot: bot(1) }, join_puppet(1, 10, 15), may(&asked[0])]);
    assert_eq!((unsaid(&effects).len(), spoken(&effects)), (4, 0));
}

#[test]
fn a_restored_world_that_waits_has_the_same_future_and_does_not_wait_for_ever() {
    let (mut world, _) = talking(asking());
    step(&mut world, &[join_puppet(3, 40, 15), say(1), say(2), say(3)]);
    let json = serde_json::to_string(&world.snapshot()).expect("a snapshot is plain JSON");
    let snapshot = serde_json::from_str(&json).expect("a snapshot can be read again");
    let mut copy = World::restore(TownMap::town(), snapshot).expect("a snapshot restores");
    let effects = run(&mut copy, 300);
    assert_eq!(unsaid(&effects).len(), 3);
    assert_eq!(run(&mut world, 300), effects);
}

#[test]
fn without_the_setting_nothing_asks() {
    let (mut world, _) = talking(WorldSettings::default());
    let effects = step(&mut world, &[say(1), say(2)]);
    assert_eq!((spoken(&effects), wishes(&effects)), (2, vec![]));
}

/// What becomes of a wish, and how many ticks later.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Said,
    Last,
    Spent,
    Dropped,
    Lost,
}

fn any_fate() -> impl Strategy<Value = (Fate, u64)> {
    let fate = prop_oneof![6 => Just(Fate::Said), 1 => Just(Fate::Last), 1 => Just(Fate::Spent), 1 => Just(Fate::Dropped), 1 => Just(Fate::Lost)];
    (fate, prop_oneof![4 => 1u64..4, 1 => 1u64..400])
}

/// Plays a town in which verdicts come as they are drawn, some of them twice, and returns what was heard.
struct Play<'a> {
    world: World,
    fates: &'a [(Fate, u64)],
    asked: usize,
    due: BTreeMap<u64, Vec<Input>>,
    open: BTreeMap<(Option<ConversationId>, u32), Wish>,
}

impl Play<'_> {
    fn tick(&mut self, inputs: &[Input]) -> Result<Vec<Effect>, TestCaseError> {
        let now = self.world.tick() + 1;
        let mut all = self.due.remove(&now).unwrap_or_default();
        all.extend_from_slice(inputs);
        let effects = step(&mut self.world, &all);
        for effect in &effects {
            match effect {
                Effect::WantsToSay(wish) => self.decide(wish, now)?,
                Effect::Unsaid { bot, conversation, line, .. } => {
                    let wish = self.open.remove(&(*conversation, *line));
                    prop_assert_eq!(wish.map(|wish| wish.bot), Some(*bot), "it was asked for, and only once");
                }
                Effect::Spoke { bot, conversation, text } => {
                    let mut open = self.open.iter();
                    let heard = open.find(|((talk, _), wish)| {
                        talk == conversation && wish.bot == *bot && wish.text == *text
                    });
                    let heard = heard.map(|(key, _)| *key);
                    let wish = heard.and_then(|key| self.open.remove(&key));
                    prop_assert!(wish.is_some(), "it was asked for first: {:?}", effect);
                }
                _ => {}
            }
        }
        prop_assert_eq!(self.world.audit(), Ok(()));
        Ok(effects)
    }

    fn decide(&mut self, wish: &Wish, now: u64) -> Result<(), TestCaseError> {
        let (fate, delay) = self.fates[self.asked % self.fates.len()];
        self.asked += 1;
        let verdict = match fate {
            Fate::Said => Some(may(wish)),
            Fate::Last => Some(Input::MaySay {
                bot: wish.bot,
                conversation: wish.conversation,
                line: wish.line,
                last: true,
            }),
            Fate::Spent => Some(may_not(wish, NoLeave::BudgetSpent)),
            Fate::Dropped => Some(may_not(wish, NoLeave::Unavailable)),
            Fate::Lost => None,
        };
        let times = if self.asked.is_multiple_of(5) { 2 } else { 1 };
        let verdicts = verdict.into_iter().flat_map(|verdict| std::iter::repeat_n(verdict, times));
        self.due.entry(now + delay).or_default().extend(verdicts);
        let twice = self.open.insert((wish.conversation, wish.line), wish.clone());
        prop_assert_eq!(twice, None, "a number is never used twice");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_verdicts_each_line_has_one_end_and_the_world_is_the_same_every_time(
        seed: u64,
        fates in proptest::collection::vec(any_fate(), 1..12),
        pause in 3u64..40,
        half in 1u64..1_500,
    ) {
        let settings = WorldSettings { silence_timeout_ms: 20_000, ..asking() };
        let world = World::new(TownMap::town(), seed, settings).unwrap();
        let play = |world: World| Play {
            world, fates: &fates, asked: 0, due: BTreeMap::new(), open: BTreeMap::new(),
        };
        let (mut one, mut two) = (play(world), None::<Play<'_>>);
        let mut joins: Vec<Input> = (0..20).map(join_wanderer).collect();
        joins.extend((20..24).map(|n| join_puppet(n, n as u16, 15)));
        one.tick(&joins)?;
        let mut heard = 0;
        for tick in 2..1_500u64 {
            let n = tick as u32;
            let inputs = match tick % pause {
                0 => vec![Input::Say { bot: bot(20 + n % 4), text: format!("Line {n}") }],
                1 => vec![Input::StartConversation { bot: bot(20 + n % 4), with: bot(n % 24) }],
                2 => vec![Input::MoveTo { bot: bot(20 + n % 4), to: Tile::new(10 + (n % 30) as u16, 15) }],
                _ => vec![],
            };
            let effects = one.tick(&inputs)?;
            heard += spoken(&effects);
            if let Some(two) = &mut two {
                prop_assert_eq!(two.tick(&inputs)?, effects);
            } else if tick == half {
                let json = serde_json::to_string(&one.world.snapshot()).unwrap();
                let world = World::restore(TownMap::town(), serde_json::from_str(&json).unwrap()).unwrap();
                let (due, open) = (one.due.clone(), one.open.clone());
                two = Some(Play { world, fates: &fates, asked: one.asked, due, open });
            }
        }
        if let Some(two) = two {
            prop_assert_eq!(two.world.state_hash(), one.world.state_hash());
        }
        prop_assert!(one.asked >= heard && one.asked > 20, "{} asked, {} heard", one.asked, heard);
        // Each line of a conversation that gets its verdict gives those behind it the time to wait anew.
        let old: Vec<_> = one.open.keys().copied().collect();
        for _ in 0..4 * 100 {
            one.tick(&[])?;
        }
        prop_assert!(old.iter().all(|line| !one.open.contains_key(line)), "waits for ever: {:?}", one.open);
    }
}
