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

#[test]
fn where_anybody_may_speak_so_many_are_counted() {
    let (mut ledger, _) = Ledger::create(Setup::default(), &id("talk"), Timestamp(0)).unwrap();
    let mut accounts = Accounts::new();
    let mut speak = |ledger: &mut Ledger, who: &str| {
        ledger.handle(&Command::Say(say(who, "hi")), "", &mut accounts, Timestamp(0)).outcome
    };
    (0..1_000).for_each(|n| drop(speak(&mut ledger, &format!("p{n}")).unwrap()));
    let refusal = speak(&mut ledger, "one more").unwrap_err();
    assert_eq!((refusal.code, refusal.limit), (Code::TooManyParticipants, Some(1_000)));
    speak(&mut ledger, "p999").unwrap();
    let add = ledger.handle(&Command::AddParticipant(id("new")), "", &mut accounts, Timestamp(0));
    assert_eq!(add.outcome.unwrap_err().code, Code::TooManyParticipants);
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
