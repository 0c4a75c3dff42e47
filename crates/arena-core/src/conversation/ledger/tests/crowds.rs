//! Conversations of a thousand: what a message and a look take does not grow with the roster.

use super::*;
use std::time::{Duration, Instant};

fn name(n: usize) -> String {
    format!("p{n}")
}

/// A thousand, each of whom is sure of two messages; all else is said.
fn crowd(policy: TurnPolicy, refill_every_ms: Option<u64>) -> Ledger {
    let limits = Limits { guaranteed_per_participant: 2, refill_every_ms, ..limits(-1, 2_000) };
    let turns = Turns { policy, timeout_ms: None };
    let participants = (0..1_000).map(|n| id(&name(n))).collect();
    let setup = Setup { participants, limits, turns, ..Setup::default() };
    Ledger::create(setup, &id("talk"), Timestamp(0)).unwrap().0
}

/// The shortest of several runs: whatever else the machine does makes none shorter.
fn least<T>(mut run: impl FnMut() -> T) -> Duration {
    let timed = |run: &mut dyn FnMut() -> T| {
        let began = Instant::now();
        std::hint::black_box(run());
        began.elapsed()
    };
    (0..15).map(|_| timed(&mut run)).min().unwrap()
}

#[test]
fn a_look_at_a_thousand_is_no_look_by_each_at_each() {
    for at in [0, 100] {
        let mut ledger = crowd(TurnPolicy::Free, Some(100));
        ledger
            .handle(&Command::Say(say("p0", "hi")), "", &mut Accounts::new(), Timestamp(0))
            .outcome
            .unwrap();
        let look = || ledger.capacity(&Accounts::new(), Timestamp(at));
        assert!(look().participants.iter().all(|share| share.may_send));
        let all = least(look);
        let share = |who| ledger.share(who, &Accounts::new(), Timestamp(0)).may_send;
        let one = least(|| ledger.participants().filter(|who| share(who)).count());
        assert!(all < one * 20, "{all:?} for all, {one:?} one by one");
    }
}

#[test]
fn what_is_guaranteed_is_kept_count_of_by_every_way() {
    let mut talk = Talk::new("ann bob cyd", Limits { guaranteed_per_participant: 2, ..limits(-1, 7) });
    let owed = |talk: &Talk| talk.ledger.owed;
    assert_eq!(owed(&talk), Some(6));
    (0..3).for_each(|_| drop(talk.say("ann").unwrap()));
    assert_eq!((owed(&talk), talk.refused("ann")), (Some(4), Code::GuaranteedToOthers));
    let reserve = Reserve { participant: id("bob"), id: id("r"), amounts: Setup::ONE_MESSAGE, lease_ms: 50 };
    talk.handle(Command::Reserve(reserve)).outcome.unwrap();
    assert_eq!(owed(&talk), Some(3));
    talk.now += 50;
    talk.handle(Command::Advance).outcome.unwrap();
    assert_eq!(owed(&talk), Some(4));
    talk.handle(Command::RemoveParticipant(id("bob"))).outcome.unwrap();
    assert_eq!(owed(&talk), Some(2));
    talk.say("ann").unwrap();
    talk.handle(Command::AddParticipant(id("bob"))).outcome.unwrap();
    assert_eq!(owed(&talk), Some(4));
    let change = SetupChange { limits: Some(limits(-1, 9)), ..SetupChange::default() };
    talk.handle(Command::Configure(Box::new(change))).outcome.unwrap();
    assert_eq!(owed(&talk), None);
}

#[test]
fn a_checkpoint_without_the_count_is_read_and_promises_are_kept() {
    let mut talk = Talk::new("ann bob", Limits { guaranteed_per_participant: 2, ..limits(-1, 5) });
    (0..3).for_each(|_| drop(talk.say("ann").unwrap()));
    let mut checkpoint = serde_json::to_value(&talk.ledger).unwrap();
    assert!(checkpoint.as_object_mut().unwrap().remove("owed").is_some());
    let again: Ledger = serde_json::from_value(checkpoint).unwrap();
    let refusal = again.check(&say("ann", "more"), &talk.accounts, Timestamp(talk.now)).unwrap_err();
    assert_eq!(refusal.code, Code::GuaranteedToOthers);
}

#[test]
fn a_message_among_a_thousand_takes_as_long_as_among_two() {
    let text = format!("{} @p999", "@nobody ".repeat(63));
    let mut took = [Duration::MAX; 2];
    for (many, took) in [2, 1_000].into_iter().zip(&mut took) {
        let limits = Limits { guaranteed_per_participant: 20, ..limits(-1, many as i64 * 20) };
        let turns = Turns { policy: TurnPolicy::MentionFirst, timeout_ms: None };
        let participants = (0..many).map(|n| id(&name(n))).collect();
        let setup = Setup { participants, limits, turns, ..Setup::default() };
        let mut ledger = Ledger::create(setup, &id("talk"), Timestamp(0)).unwrap().0;
        *took = least(|| {
            let who = ledger.turn().unwrap().to_string();
            ledger
                .handle(&Command::Say(say(&who, &text)), "", &mut Accounts::new(), Timestamp(0))
                .outcome
                .unwrap()
        });
    }
    assert!(took[1] < took[0] * 10, "{took:?}");
}

#[test]
fn the_longest_name_that_ends_with_the_word_is_meant() {
    let names = "a ab a.b a.b.c äb ä abc";
    let setup = Setup {
        participants: roster(names),
        turns: Turns { policy: TurnPolicy::MentionFirst, timeout_ms: None },
        ..Setup::default()
    };
    let ledger = Ledger::create(setup, &id("talk"), Timestamp(0)).unwrap().0;
    let whole = |text: &str| {
        let ends = |name: &&ParticipantId| {
            let rest = text.strip_prefix(name.as_str());
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        ledger.participants().filter(ends).max_by_key(|name| name.as_str().len()).map(ToString::to_string)
    };
    let mut found = 0;
    let letters = ["a", "b", "c", ".", "ä", "ö", " "];
    let deep = letters.len().pow(6);
    for number in 0..deep {
        let text: String =
            (0..6u32).map(|place| letters[number / letters.len().pow(place) % letters.len()]).collect();
        let named = ledger.named_at_start_of(&text).map(|seat| ledger.people.at(seat).id.to_string());
        assert_eq!(named, whole(&text), "{text:?}");
        found += usize::from(named.is_some());
    }
    assert!(found > 10_000, "{found}");
}
