//! Whose turn it is.

use super::*;

fn talk(names: &str, policy: TurnPolicy, timeout_ms: Option<u64>, limits: Limits) -> Talk {
    let turns = Turns { policy, timeout_ms };
    Talk::of(Setup { participants: roster(names), turns, limits, ..Setup::default() })
}

fn turn(talk: &Talk) -> &str {
    talk.ledger.turn().map_or("anybody", ParticipantId::as_str)
}

/// Says it and gives whose turn it is then.
fn then<'a>(talk: &'a mut Talk, who: &str, text: &str) -> &'a str {
    talk.say_this(say(who, text)).unwrap();
    turn(talk)
}

fn wait(talk: &mut Talk, ms: i64) -> String {
    talk.now += ms;
    talk.handle(Command::Advance).outcome.unwrap();
    turn(talk).to_owned()
}

#[test]
fn round_robin_goes_by_the_roster() {
    let mut talk = talk("ann bob cyd", TurnPolicy::RoundRobin, None, Limits::default());
    let refusal = talk.say("bob").unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::NotYourTurn, None));
    for (who, next) in [("ann", "bob"), ("bob", "cyd"), ("cyd", "ann"), ("ann", "bob")] {
        let done = talk.say(who).unwrap();
        assert_eq!(done.turn, Some(id(next)));
        let Some((Entry::Message(message), _)) = talk.log.last() else { panic!() };
        assert_eq!(message.turn, Some(id(next)));
    }
}

#[test]
fn those_without_a_budget_are_passed_over() {
    let mut talk = talk("ann bob cyd", TurnPolicy::RoundRobin, None, limits(1, -1));
    let by = |who: &str| vec![(id(who), Amounts { messages: 1, ..Amounts::default() })];
    talk.handle(Command::TopUp(TopUp { participants: by("ann"), ..TopUp::default() })).outcome.unwrap();
    talk.handle(Command::TopUp(TopUp { participants: by("cyd"), ..TopUp::default() })).outcome.unwrap();
    assert_eq!(then(&mut talk, "ann", "1"), "bob");
    assert_eq!(then(&mut talk, "bob", "2"), "cyd");
    assert_eq!(then(&mut talk, "cyd", "3"), "ann");
    assert_eq!(then(&mut talk, "ann", "4"), "cyd");
    assert_eq!(then(&mut talk, "cyd", "5"), "anybody");
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::AllParticipantsExhausted));
}

#[test]
fn silence_passes_the_turn_on_and_a_silent_round_frees_it() {
    let mut talk = talk("ann bob", TurnPolicy::RoundRobin, Some(100), Limits::default());
    assert_eq!(talk.ledger.due(), Some(Timestamp(1_000_100)));
    talk.now += 40;
    assert_eq!(talk.say("bob").unwrap_err().retry_after_ms, Some(60));
    assert_eq!(wait(&mut talk, 60), "bob");
    let Some((Entry::Turn(passed), _)) = talk.log.last() else { panic!() };
    assert_eq!((&passed.participant, &passed.skipped), (&Some(id("bob")), &Some(id("ann"))));
    assert_eq!(wait(&mut talk, 99), "bob");
    assert_eq!(wait(&mut talk, 1), "anybody");
    assert_eq!(talk.ledger.due(), None);
    assert_eq!(then(&mut talk, "bob", "hello"), "ann");
    assert_eq!(wait(&mut talk, 100), "bob", "the message began another round");
}

#[test]
fn the_turn_waits_for_a_reservation_of_its_holder() {
    let mut talk = talk("ann bob", TurnPolicy::RoundRobin, Some(100), Limits::default());
    let amounts = Setup::ONE_MESSAGE;
    let reserve = |who: &str| Reserve { participant: id(who), id: id("r1"), amounts, lease_ms: 250 };
    let refused = talk.handle(Command::Reserve(reserve("bob"))).outcome.unwrap_err();
    assert_eq!(refused.code, Code::NotYourTurn);
    talk.handle(Command::Reserve(reserve("ann"))).outcome.unwrap();
    assert_eq!(wait(&mut talk, 249), "ann");
    assert_eq!(wait(&mut talk, 1), "bob");
    assert_eq!(talk.events()[2..], ["released", "turn"]);
}

#[test]
fn the_one_who_said_least_is_next_but_never_the_same_again() {
    let mut talk = talk("ann bob cyd", TurnPolicy::LeastSpokenFirst, Some(100), Limits::default());
    assert_eq!(turn(&talk), "ann");
    assert_eq!(then(&mut talk, "ann", "1"), "bob");
    assert_eq!(then(&mut talk, "bob", "2"), "cyd");
    talk.handle(Command::AddParticipant(id("dan"))).outcome.unwrap();
    assert_eq!(then(&mut talk, "cyd", "3"), "dan");
    assert_eq!(then(&mut talk, "dan", "4"), "ann");
    assert_eq!(wait(&mut talk, 100), "bob");
    assert_eq!(then(&mut talk, "bob", "5"), "ann");
    talk.handle(Command::GiveTurn(id("dan"))).outcome.unwrap();
    talk.handle(Command::AddParticipant(id("eve"))).outcome.unwrap();
    assert_eq!(then(&mut talk, "dan", "6"), "eve");
    assert_eq!(then(&mut talk, "eve", "7"), "ann", "eve has said as little, but has just spoken");
}

#[test]
fn whoever_has_just_spoken_lets_others_speak_though_they_have_said_more() {
    let mut talk = talk("ann bob", TurnPolicy::LeastSpokenFirst, None, limits(3, -1));
    for who in ["ann", "bob", "ann", "bob"] {
        talk.say(who).unwrap();
    }
    talk.handle(Command::AddParticipant(id("cyd"))).outcome.unwrap();
    talk.say("ann").unwrap();
    assert_eq!(then(&mut talk, "cyd", "new here"), "bob");
    assert_eq!(then(&mut talk, "bob", "the last of mine"), "cyd");
    assert_eq!(then(&mut talk, "cyd", "alone now"), "cyd");
}

#[test]
fn a_turn_begins_again_when_the_conversation_is_reopened() {
    let mut talk = talk("ann bob", TurnPolicy::RoundRobin, Some(100), Limits::default());
    talk.handle(Command::Close).outcome.unwrap();
    assert_eq!(wait(&mut talk, 500), "ann");
    talk.handle(Command::Reopen).outcome.unwrap();
    assert_eq!(wait(&mut talk, 99), "ann");
    assert_eq!(wait(&mut talk, 1), "bob");
}

#[test]
fn the_one_who_is_mentioned_is_next() {
    let mut talk = talk("bob bob-2 cyd dan", TurnPolicy::MentionFirst, None, Limits::default());
    assert_eq!(turn(&talk), "bob");
    assert_eq!(then(&mut talk, "bob", "what do you say, @cyd? or @dan"), "cyd");
    assert_eq!(then(&mut talk, "cyd", "@cyd @nobody @dane @bob-2!"), "bob-2");
    assert_eq!(then(&mut talk, "bob-2", "@bob: yes"), "bob");
    assert_eq!(then(&mut talk, "bob", "no name, so in the order of the roster"), "bob-2");
    assert_eq!(then(&mut talk, "bob-2", "@dan_ is somebody else"), "cyd");
    assert_eq!(then(&mut talk, "cyd", "ends with @dan"), "dan");
    assert_eq!(then(&mut talk, "dan", "@bob-2"), "bob-2");
}

#[test]
fn a_mention_of_somebody_without_a_budget_is_passed_over() {
    let mut talk = talk("ann bob cyd", TurnPolicy::MentionFirst, None, limits(1, -1));
    assert_eq!(then(&mut talk, "ann", "@bob"), "bob");
    assert_eq!(then(&mut talk, "bob", "@ann @cyd"), "cyd");
}

#[test]
fn a_moderator_gives_the_word_for_one_message() {
    let mut talk = talk("ann bob", TurnPolicy::Moderator, Some(100), Limits::default());
    assert_eq!(talk.refused("ann"), Code::NotYourTurn);
    talk.handle(Command::GiveTurn(id("bob"))).outcome.unwrap();
    assert_eq!(talk.say("ann").unwrap_err().retry_after_ms, None);
    talk.say("bob").unwrap();
    assert_eq!(talk.refused("bob"), Code::NotYourTurn);
    talk.handle(Command::GiveTurn(id("ann"))).outcome.unwrap();
    wait(&mut talk, 100);
    assert_eq!(talk.refused("ann"), Code::NotYourTurn);
}

#[test]
fn the_word_can_be_given_where_turns_are_taken() {
    let mut talk = talk("ann bob cyd", TurnPolicy::RoundRobin, None, limits(1, -1));
    talk.handle(Command::GiveTurn(id("cyd"))).outcome.unwrap();
    assert_eq!(then(&mut talk, "cyd", "thank you"), "ann");
    let give = |talk: &mut Talk, who: &str| talk.handle(Command::GiveTurn(id(who))).outcome.unwrap_err().code;
    assert_eq!(give(&mut talk, "cyd"), Code::ParticipantLimit);
    assert_eq!(give(&mut talk, "nobody"), Code::NotAParticipant);
    let mut free = Talk::new("ann bob", Limits::default());
    assert_eq!(give(&mut free, "ann"), Code::WrongState);
}

#[test]
fn whoever_is_removed_passes_the_turn_on() {
    let mut talk = talk("ann bob cyd", TurnPolicy::RoundRobin, Some(100), Limits::default());
    then(&mut talk, "ann", "1");
    talk.now += 50;
    talk.handle(Command::RemoveParticipant(id("bob"))).outcome.unwrap();
    assert_eq!(turn(&talk), "cyd");
    assert_eq!(talk.ledger.due(), Some(Timestamp(talk.now + 100)));
    talk.handle(Command::RemoveParticipant(id("ann"))).outcome.unwrap();
    assert_eq!(turn(&talk), "cyd");
    assert_eq!(talk.count("turn"), 1);
}

#[test]
fn whoever_comes_back_is_waited_for_again() {
    let mut talk = talk("ann bob cyd", TurnPolicy::RoundRobin, Some(100), Limits::default());
    assert_eq!(wait(&mut talk, 100), "bob");
    talk.handle(Command::RemoveParticipant(id("ann"))).outcome.unwrap();
    assert_eq!(then(&mut talk, "bob", "1"), "cyd");
    talk.handle(Command::AddParticipant(id("ann"))).outcome.unwrap();
    assert_eq!(wait(&mut talk, 100), "ann");
}

#[test]
fn a_holder_whose_share_is_cut_passes_the_turn_on() {
    let mut talk = talk("ann bob", TurnPolicy::RoundRobin, None, limits(5, -1));
    for who in ["ann", "bob", "ann", "bob"] {
        talk.say(who).unwrap();
    }
    let by = vec![(id("bob"), Amounts { messages: 1, ..Amounts::default() })];
    talk.handle(Command::TopUp(TopUp { participants: by, ..TopUp::default() })).outcome.unwrap();
    let change = SetupChange { limits: Some(limits(2, -1)), ..SetupChange::default() };
    talk.handle(Command::Configure(Box::new(change))).outcome.unwrap();
    assert_eq!(turn(&talk), "bob");
}

#[test]
fn turns_begin_when_they_are_switched_on_and_end_when_they_are_switched_off() {
    let mut talk = Talk::new("ann bob", Limits::default());
    talk.say("ann").unwrap();
    let policy = |policy| {
        let turns = Some(Turns { policy, timeout_ms: None });
        Command::Configure(Box::new(SetupChange { turns, ..SetupChange::default() }))
    };
    talk.handle(policy(TurnPolicy::RoundRobin)).outcome.unwrap();
    assert_eq!(turn(&talk), "bob");
    talk.handle(policy(TurnPolicy::Free)).outcome.unwrap();
    assert_eq!(turn(&talk), "anybody");
    talk.say("ann").unwrap();
}

#[test]
fn when_a_share_refills_somebody_begins_again() {
    let limits = Limits { refill_every_ms: Some(1_000), ..limits(1, -1) };
    let mut talk = talk("ann bob", TurnPolicy::RoundRobin, Some(100), limits);
    then(&mut talk, "ann", "1");
    assert_eq!(then(&mut talk, "bob", "2"), "anybody");
    talk.now += 1_000;
    assert_eq!(then(&mut talk, "bob", "3"), "ann");
}

#[test]
fn nobody_is_passed_over_while_nobody_can_speak() {
    let limits = Limits { refill_every_ms: Some(1_000), ..limits(-1, 1) };
    let mut talk = talk("ann bob", TurnPolicy::RoundRobin, Some(100), limits);
    then(&mut talk, "ann", "1");
    assert_eq!(wait(&mut talk, 1_099), "bob");
    assert_eq!(wait(&mut talk, 1), "ann");
}
