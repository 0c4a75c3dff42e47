//! What ends a conversation, what keeps it ended, and what opens it again.

use super::*;

fn more(messages: u64) -> TopUp {
    TopUp { total: Amounts { messages, ..Amounts::default() }, ..TopUp::default() }
}

fn timed(limits: Limits) -> Talk {
    Talk::new("ann bob", limits)
}

#[test]
fn the_end_is_told_once_with_final_counts() {
    let mut talk = Talk::new("ann bob", limits(-1, 3));
    talk.say("ann").unwrap();
    talk.say("ann").unwrap();
    let handled = talk.handle(Command::Say(say("bob", "and out")));
    let [Entry::Message(_), Entry::Exhausted(end)] = &handled.entries[..] else { panic!("{handled:?}") };
    assert_eq!((end.reason, end.used.messages), (ExhaustedBy::TotalLimit, 3));
    let counts: Vec<_> = end.participants.iter().map(|c| (c.participant.as_str(), c.used.messages)).collect();
    assert_eq!(counts, [("ann", 2), ("bob", 1)]);
    (0..3).for_each(|_| assert_eq!(talk.refused("bob"), Code::TotalLimit));
    assert_eq!(talk.count("exhausted"), 1);
}

#[test]
fn those_who_said_most_are_counted_where_there_are_too_many() {
    let mut talk = Talk::new("", limits(-1, 151));
    (0..150).for_each(|n| drop(talk.say(&format!("p{n}")).unwrap()));
    let handled = talk.handle(Command::Say(say("p149", "once more")));
    let Some(Entry::Exhausted(end)) = handled.entries.last() else { panic!("{handled:?}") };
    assert_eq!((end.participants.len(), end.used.messages), (100, 151));
    assert_eq!(end.participants[0].participant.as_str(), "p149");
}

#[test]
fn everybody_blocked_is_the_end_of_a_roster_only() {
    let mut talk = Talk::new("ann bob", limits(1, -1));
    talk.say("ann").unwrap();
    assert_eq!(talk.ledger.exhausted(), None);
    talk.say("bob").unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::AllParticipantsExhausted));
    let log = ["created", "message", "participant_blocked", "message", "participant_blocked", "exhausted"];
    assert_eq!(talk.events(), log);
}

#[test]
fn a_late_joiner_reopens_what_all_had_exhausted_and_nothing_else() {
    let mut talk = Talk::new("ann", limits(1, 2));
    talk.say("ann").unwrap();
    talk.handle(Command::AddParticipant(id("bob"))).outcome.unwrap();
    assert_eq!(talk.events()[4..], ["participant_added", "reopened"]);
    assert_eq!(talk.refused("ann"), Code::ParticipantLimit);
    talk.say("bob").unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TotalLimit));
    talk.handle(Command::AddParticipant(id("cyd"))).outcome.unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TotalLimit));
}

#[test]
fn taking_away_the_last_who_could_speak_is_the_end() {
    let mut talk = Talk::new("ann bob", limits(1, -1));
    talk.say("ann").unwrap();
    talk.handle(Command::RemoveParticipant(id("bob"))).outcome.unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::AllParticipantsExhausted));
}

#[test]
fn its_time_ends_it_and_only_time_that_is_added_reopens_it() {
    let mut talk = timed(Limits { max_duration_ms: Some(1_000), ..limits(-1, 10) });
    assert_eq!(talk.ledger.due(), Some(Timestamp(1_001_000)));
    talk.now += 999;
    talk.say("ann").unwrap();
    talk.now += 1;
    assert_eq!(talk.capacity().reason, Some(ExhaustedBy::Timeout), "also before it is written down");
    assert_eq!(talk.refused("bob"), Code::Timeout);
    assert_eq!(talk.ledger.due(), None);
    talk.handle(Command::TopUp(more(5))).outcome.unwrap();
    assert_eq!(talk.refused("bob"), Code::Timeout);
    talk.handle(Command::TopUp(TopUp { duration_ms: 1, ..TopUp::default() })).outcome.unwrap();
    talk.say("bob").unwrap();
    talk.now += 1;
    assert_eq!(talk.refused("bob"), Code::Timeout);
    assert_eq!((talk.count("exhausted"), talk.count("reopened")), (2, 1));
}

#[test]
fn silence_ends_it_and_any_top_up_starts_the_clock_again() {
    let mut talk = timed(Limits { idle_timeout_ms: Some(100), ..limits(-1, 10) });
    talk.now += 99;
    talk.say("ann").unwrap();
    talk.now += 99;
    talk.handle(Command::SaySystem { id: None, text: "hello?".into(), data: None }).outcome.unwrap();
    assert_eq!(talk.ledger.due(), Some(Timestamp(talk.now + 1)), "the system does not break the silence");
    talk.now += 1;
    talk.handle(Command::Advance).outcome.unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::Timeout));
    talk.now += 1_000;
    talk.handle(Command::TopUp(more(1))).outcome.unwrap();
    assert_eq!(talk.ledger.exhausted(), None);
    talk.now += 99;
    talk.say("bob").unwrap();
}

#[test]
fn patience_begins_when_the_last_lease_is_over() {
    let mut talk = timed(Limits { idle_timeout_ms: Some(100), ..Limits::default() });
    let reserve = |name: &str, lease_ms| {
        let amounts = Setup::ONE_MESSAGE;
        Command::Reserve(Reserve { participant: id("ann"), id: id(name), amounts, lease_ms })
    };
    talk.handle(reserve("short", 50)).outcome.unwrap();
    talk.handle(reserve("long", 300)).outcome.unwrap();
    assert_eq!(talk.capacity().ends_in_ms, Some(400));
    talk.now += 299;
    talk.handle(Command::Advance).outcome.unwrap();
    assert_eq!((talk.ledger.exhausted(), talk.count("released")), (None, 1));
    talk.now += 1;
    talk.handle(Command::Advance).outcome.unwrap();
    assert_eq!((talk.ledger.exhausted(), talk.count("released")), (None, 2));
    talk.now += 99;
    assert_eq!((talk.capacity().exhausted, talk.ledger.due()), (false, Some(Timestamp(talk.now + 1))));
    talk.now += 1;
    assert_eq!(talk.refused("bob"), Code::Timeout);
}

#[test]
fn a_lease_that_is_given_back_early_is_waited_for_no_longer() {
    let mut talk = timed(Limits { idle_timeout_ms: Some(100), ..Limits::default() });
    let (participant, amounts) = (id("ann"), Setup::ONE_MESSAGE);
    talk.handle(Command::Reserve(Reserve { participant, id: id("r"), amounts, lease_ms: 1_000 }))
        .outcome
        .unwrap();
    talk.now += 250;
    talk.handle(Command::Release { participant: id("ann"), id: id("r") }).outcome.unwrap();
    assert_eq!(talk.capacity().ends_in_ms, Some(100));
    talk.now += 100;
    assert_eq!(talk.refused("bob"), Code::Timeout);
}

#[test]
fn tokens_and_money_end_it_under_their_own_names() {
    let caps = Caps { tokens: Some(10), cost_micros: Some(7), ..Caps::default() };
    let mut talk = Talk::new("ann bob", Limits { total: caps, ..Limits::default() });
    talk.say_this(Say { tokens: 10, cost_micros: 6, ..say("ann", "all of it") }).unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TokenLimit));
    let total = Amounts { tokens: 1, ..Amounts::default() };
    talk.handle(Command::TopUp(TopUp { total, ..TopUp::default() })).outcome.unwrap();
    talk.say_this(Say { cost_micros: 1, ..say("bob", "the rest") }).unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::CostLimit));
    assert_eq!(talk.refused("ann"), Code::CostLimit);
}

#[test]
fn a_cured_end_gives_way_to_the_one_behind_it() {
    let caps = Caps { messages: Some(2), tokens: Some(10), ..Caps::default() };
    let mut talk = Talk::new("", Limits { total: caps, ..Limits::default() });
    talk.say("ann").unwrap();
    talk.say_this(Say { tokens: 10, ..say("ann", "everything at once") }).unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TotalLimit));
    talk.handle(Command::TopUp(more(1))).outcome.unwrap();
    assert_eq!(talk.events()[3..], ["exhausted", "topped_up", "reopened", "exhausted"]);
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TokenLimit));
}

#[test]
fn reconfiguring_keeps_counters_and_a_raised_total_reopens() {
    let mut talk = Talk::new("ann bob", limits(-1, 2));
    talk.say("ann").unwrap();
    talk.say("bob").unwrap();
    let change =
        |limits| Command::Configure(Box::new(SetupChange { limits: Some(limits), ..Default::default() }));
    talk.handle(change(limits(-1, 2))).outcome.unwrap();
    assert_eq!(talk.count("reopened"), 0);
    talk.handle(change(limits(-1, 3))).outcome.unwrap();
    assert_eq!((talk.count("reopened"), talk.capacity().total.used.messages), (1, 2));
    talk.handle(change(limits(1, 3))).outcome.unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::AllParticipantsExhausted));
    talk.handle(change(Limits::default())).outcome.unwrap();
    talk.say("ann").unwrap();
    talk.handle(change(limits(-1, 1))).outcome.unwrap();
    assert_eq!(talk.refused("ann"), Code::TotalLimit);
    assert_eq!((talk.count("exhausted"), talk.count("reopened")), (3, 2));
}

#[test]
fn who_wanted_the_change_stands_in_the_log() {
    let mut talk = Talk::new("ann bob", limits(2, 2));
    let handled = talk.handle(Command::TopUp(more(1)));
    assert!(matches!(&handled.entries[..], [Entry::ToppedUp { actor, .. }] if actor == "operator"));
    let change = Box::new(SetupChange { limits: Some(limits(3, 3)), ..Default::default() });
    let handled = talk.handle(Command::Configure(change));
    assert!(matches!(&handled.entries[..], [Entry::Configured { actor, .. }] if actor == "operator"));
}

#[test]
fn what_was_closed_opens_only_by_being_reopened() {
    for (command, code) in [(Command::Close, Code::ClosedByModerator), (Command::End, Code::Ended)] {
        let mut talk = Talk::new("ann bob", limits(-1, 5));
        assert_eq!(talk.handle(Command::Reopen).outcome.unwrap_err().code, Code::WrongState);
        talk.handle(command.clone()).outcome.unwrap();
        assert_eq!(talk.refused("ann"), code);
        assert_eq!(talk.handle(command).outcome.unwrap_err().code, Code::WrongState);
        assert_eq!(talk.handle(Command::TopUp(more(1))).outcome.unwrap_err().code, Code::WrongState);
        let change = Box::new(SetupChange { limits: Some(limits(-1, 9)), ..Default::default() });
        talk.handle(Command::Configure(change)).outcome.unwrap();
        talk.handle(Command::AddParticipant(id("cyd"))).outcome.unwrap();
        assert_eq!(talk.refused("cyd"), code);
        talk.handle(Command::Reopen).outcome.unwrap();
        talk.say("ann").unwrap();
        assert_eq!((talk.count("exhausted"), talk.count("reopened")), (1, 1));
    }
}

#[test]
fn what_a_budget_ended_is_not_reopened_by_hand_nor_closed_again() {
    let mut talk = Talk::new("ann bob", limits(-1, 1));
    talk.say("ann").unwrap();
    assert_eq!(talk.handle(Command::Reopen).outcome.unwrap_err().code, Code::WrongState);
    assert_eq!(talk.handle(Command::Close).outcome.unwrap_err().code, Code::WrongState);
    assert_eq!(talk.count("exhausted"), 1);
}

#[test]
fn reopened_after_its_time_it_ends_again() {
    let mut talk = timed(Limits { max_duration_ms: Some(10), ..Limits::default() });
    talk.handle(Command::Close).outcome.unwrap();
    talk.now += 20;
    talk.handle(Command::Reopen).outcome.unwrap();
    assert_eq!(talk.events()[1..], ["exhausted", "reopened", "exhausted"]);
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::Timeout));
}

#[test]
fn patience_begins_again_when_it_is_reopened() {
    let mut talk = timed(Limits { idle_timeout_ms: Some(100), ..Limits::default() });
    talk.handle(Command::Close).outcome.unwrap();
    talk.now += 500;
    talk.handle(Command::Reopen).outcome.unwrap();
    talk.now += 99;
    talk.say("ann").unwrap();
}

#[test]
fn a_top_up_has_to_add_to_something_that_is_limited() {
    let mut talk = Talk::new("ann bob", limits(2, -1));
    let one = Amounts { messages: 1, ..Amounts::default() };
    let bad = [
        TopUp::default(),
        TopUp { total: one, ..TopUp::default() },
        TopUp { per_participant: Amounts { tokens: 1, ..Amounts::default() }, ..TopUp::default() },
        TopUp { participants: vec![(id("ann"), Amounts { cost_micros: 1, ..one })], ..TopUp::default() },
        TopUp { participants: vec![(id("nobody"), one)], ..TopUp::default() },
        TopUp { duration_ms: 1, ..TopUp::default() },
    ];
    for by in bad {
        assert_eq!(talk.handle(Command::TopUp(by)).outcome.unwrap_err().code, Code::Invalid);
    }
    assert_eq!(talk.log.len(), 1);
}

#[test]
fn one_participant_alone_can_be_given_more() {
    let mut talk = Talk::new("ann bob", limits(1, -1));
    talk.say("ann").unwrap();
    let by = vec![(id("ann"), Amounts { messages: 2, ..Amounts::default() })];
    talk.handle(Command::TopUp(TopUp { participants: by, ..TopUp::default() })).outcome.unwrap();
    talk.say("ann").unwrap();
    talk.say("ann").unwrap();
    assert_eq!(talk.refused("ann"), Code::ParticipantLimit);
    talk.say("bob").unwrap();
    assert_eq!((talk.count("participant_blocked"), talk.count("exhausted")), (3, 1));
    let by = TopUp { per_participant: Amounts { messages: 1, ..Amounts::default() }, ..TopUp::default() };
    talk.handle(Command::TopUp(by)).outcome.unwrap();
    assert_eq!(talk.share("ann").budget.limit.messages, Some(4));
    assert_eq!(talk.share("bob").budget.limit.messages, Some(2));
}

#[test]
fn the_system_speaks_free_of_charge_until_the_end() {
    let mut talk = Talk::new("ann bob", limits(-1, 1));
    let system = || Command::SaySystem { id: Some(id("s1")), text: "welcome".into(), data: None };
    talk.handle(system()).outcome.unwrap();
    assert_eq!(talk.capacity().total.used.messages, 0);
    talk.say("ann").unwrap();
    let refusal = talk.handle(system()).outcome.unwrap_err();
    assert_eq!((refusal.code, refusal.message_id), (Code::TotalLimit, Some(id("s1"))));
}
