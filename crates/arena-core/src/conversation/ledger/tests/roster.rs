//! Who takes part.

use super::*;

#[test]
fn a_roster_keeps_others_out_also_at_the_end_of_budgets() {
    let mut talk = Talk::new("ann bob", limits(1, -1));
    let refusal = talk.say("eve").unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::NotAParticipant, None));
    assert!(!refusal.code.is_capacity());
    talk.say("ann").unwrap();
    assert_eq!(talk.refused("eve"), Code::NotAParticipant);
    talk.say("bob").unwrap();
    assert_eq!(talk.refused("eve"), Code::AllParticipantsExhausted, "the end comes first");
}

#[test]
fn the_first_one_added_makes_a_roster_of_all_who_have_spoken() {
    let mut talk = Talk::new("", limits(3, -1));
    talk.say("ann").unwrap();
    talk.say("bob").unwrap();
    let reserve = Reserve { participant: id("mum"), id: id("r"), amounts: Setup::ONE_MESSAGE, lease_ms: 50 };
    talk.handle(Command::Reserve(reserve)).outcome.unwrap();
    talk.handle(Command::AddParticipant(id("cyd"))).outcome.unwrap();
    assert_eq!(talk.ledger.setup().participants, roster("ann bob cyd"));
    assert_eq!(talk.refused("eve"), Code::NotAParticipant);
    assert_eq!(talk.refused("mum"), Code::NotAParticipant);
    talk.say("cyd").unwrap();
}

#[test]
fn adding_somebody_twice_changes_nothing() {
    let mut talk = Talk::new("ann bob", Limits::default());
    assert_eq!(talk.handle(Command::AddParticipant(id("ann"))).outcome.unwrap(), Done::default());
    assert_eq!(talk.log.len(), 1);
}

#[test]
fn a_removed_participant_keeps_what_was_used() {
    let mut talk = Talk::new("ann bob", limits(2, -1));
    talk.say("ann").unwrap();
    let amounts = Setup::ONE_MESSAGE;
    let reserve = Reserve { participant: id("ann"), id: id("r"), amounts, lease_ms: 50 };
    talk.handle(Command::Reserve(reserve)).outcome.unwrap();
    talk.handle(Command::RemoveParticipant(id("ann"))).outcome.unwrap();
    assert_eq!(talk.events()[3..], ["released", "participant_removed"]);
    assert_eq!(talk.capacity().total.held, Amounts::default());
    assert_eq!(talk.refused("ann"), Code::NotAParticipant);
    assert_eq!(talk.capacity().participants.len(), 2, "who has spoken is still told of");
    talk.handle(Command::AddParticipant(id("ann"))).outcome.unwrap();
    talk.say("ann").unwrap();
    assert_eq!(talk.refused("ann"), Code::ParticipantLimit);
}

#[test]
fn the_last_participant_stays() {
    let mut talk = Talk::new("ann", Limits::default());
    let remove = |who: &str| Command::RemoveParticipant(id(who));
    assert_eq!(talk.handle(remove("ann")).outcome.unwrap_err().code, Code::WrongState);
    assert_eq!(talk.handle(remove("eve")).outcome.unwrap_err().code, Code::NotAParticipant);
}

/// A conversation in which so many have said one message each.
fn full(limits: Limits) -> Talk {
    let setup = Setup { limits, ..Setup::default() };
    let (ledger, entries) = Ledger::create(setup, &id("talk"), Timestamp(0)).unwrap();
    let log = entries.into_iter().map(|entry| (entry, Timestamp(0))).collect();
    let mut talk = Talk { ledger, accounts: Accounts::new(), now: 0, log };
    (0..1_000).for_each(|n| drop(quietly(&mut talk, &format!("p{n}")).unwrap()));
    talk
}

/// Says something, without reading the long log again.
fn quietly(talk: &mut Talk, who: &str) -> Result<Done, Refusal> {
    let now = Timestamp(talk.now);
    let said = Command::Say(say(who, &format!("message {}", talk.log.len())));
    let handled = talk.ledger.handle(&said, "", &mut talk.accounts, now);
    talk.log.extend(handled.entries.into_iter().map(|entry| (entry, now)));
    handled.outcome
}

fn is_known(talk: &Talk, who: &str) -> bool {
    talk.ledger.participants().any(|known| known.as_str() == who)
}

#[test]
fn nobody_whose_share_counts_makes_room_before_it_refills() {
    let mut talk = full(Limits { refill_every_ms: Some(100), ..limits(2, -1) });
    let refusal = talk.say("one more").unwrap_err();
    assert_eq!((refusal.code, refusal.limit), (Code::TooManyParticipants, Some(1_000)));
    assert_eq!(refusal.retry_after_ms, Some(100));
    talk.now = 100;
    talk.say("p0").unwrap();
    talk.say("one more").unwrap();
    assert!(is_known(&talk, "p0") && !is_known(&talk, "p1"), "p1 has been silent longest");
    assert_eq!(talk.ledger.participants().count(), 1_000);
    talk.say("p0").unwrap();
    assert_eq!(talk.refused("p0"), Code::ParticipantLimit);
    talk.say("p1").unwrap();
    assert!(!is_known(&talk, "p2"));
    let add = talk.handle(Command::AddParticipant(id("new"))).outcome;
    assert_eq!(add.unwrap_err().code, Code::TooManyParticipants, "a roster takes all, and one more");
}

#[test]
fn shares_that_never_refill_are_counted_for_good() {
    let mut talk = full(limits(2, -1));
    talk.now = 1_000_000;
    let refusal = talk.say("one more").unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::TooManyParticipants, None));
    talk.say("p0").unwrap();
}

#[test]
fn where_no_share_is_limited_whoever_was_silent_longest_makes_room() {
    let mut talk = full(Limits::default());
    let reserve = Reserve { participant: id("p1"), id: id("r"), amounts: Setup::ONE_MESSAGE, lease_ms: 50 };
    talk.handle(Command::Reserve(reserve)).outcome.unwrap();
    talk.say("p0").unwrap();
    for (newcomer, forgotten) in [("x", "p2"), ("y", "p3"), ("p2", "p4")] {
        talk.say(newcomer).unwrap();
        assert!(!is_known(&talk, forgotten), "{forgotten}");
    }
    assert!(["p0", "p1", "x", "y"].into_iter().all(|who| is_known(&talk, who)));
    assert_eq!(talk.capacity().total.used.messages, 1_004, "what was said stays counted");
}

#[test]
fn whoever_is_looked_at_for_loops_is_not_forgotten() {
    let loops = LoopRules { window: 64, max_repeats: 0, pair_messages: 2, ..LoopRules::default() };
    let mut talk = full(Limits::default());
    let change = SetupChange { loops: Some(Some(loops)), ..SetupChange::default() };
    talk.handle(Command::Configure(Box::new(change))).outcome.unwrap();
    for n in 0..70 {
        talk.now += 20_001;
        quietly(&mut talk, &format!("new {n}")).unwrap();
    }
    assert!((6..70).all(|n| is_known(&talk, &format!("new {n}"))));
    talk.replay();
}

#[test]
fn a_guarantee_that_would_not_fit_keeps_newcomers_out() {
    let mut talk = Talk::new("ann bob", Limits { guaranteed_per_participant: 2, ..limits(-1, 5) });
    assert_eq!(talk.handle(Command::AddParticipant(id("cyd"))).outcome.unwrap_err().code, Code::Invalid);
}

#[test]
fn a_checkpoint_of_two_is_small() {
    let mut talk = Talk::new("ann bob", limits(10, 20));
    (0..10).for_each(|n| drop(talk.say(["ann", "bob"][n % 2]).unwrap()));
    let json = serde_json::to_string(&talk.ledger).unwrap();
    assert!(json.len() < 700, "{} bytes: {json}", json.len());
}
