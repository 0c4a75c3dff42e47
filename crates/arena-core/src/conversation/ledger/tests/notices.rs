//! Warnings before a budget is spent.

use super::*;

/// `who or all: resource level`, for each notice on the last message.
fn on(talk: &Talk) -> Vec<String> {
    let messages = talk.log.iter().rev().find_map(|(entry, _)| match entry {
        Entry::Message(message) => Some(&message.notices),
        _ => None,
    });
    messages.unwrap().iter().map(words).collect()
}

fn words(notice: &Notice) -> String {
    let who = notice.participant.as_ref().map_or("all", ParticipantId::as_str);
    let what = match notice.resource {
        Resource::Messages => "messages",
        Resource::Tokens => "tokens",
        Resource::CostMicros => "money",
    };
    let level = match notice.level {
        NoticeLevel::TwoThirds => "66",
        NoticeLevel::NineTenths => "90",
        NoticeLevel::LastMessage => "last",
    };
    format!("{who} {what} {level}")
}

fn heard(talk: &mut Talk, who: &str) -> Vec<String> {
    talk.say(who).unwrap();
    on(talk)
}

#[test]
fn two_thirds_nine_tenths_and_the_last_message_are_told_once_each() {
    let mut talk = Talk::new("", limits(-1, 20));
    let mut told = Vec::new();
    for n in 1..=20 {
        told.extend(heard(&mut talk, "ann").into_iter().map(|words| (n, words)));
    }
    let all = |words: &str| format!("all messages {words}");
    assert_eq!(told, [(14, all("66")), (18, all("90")), (19, all("last"))]);
}

#[test]
fn only_the_nearest_is_told_at_a_time() {
    let mut talk = Talk::new("", limits(3, -1));
    assert!(heard(&mut talk, "ann").is_empty());
    assert_eq!(heard(&mut talk, "ann"), ["ann messages last"]);
    assert!(heard(&mut talk, "ann").is_empty(), "spent is no warning; the log says it");
}

#[test]
fn the_only_message_is_not_the_last() {
    let mut talk = Talk::new("", limits(1, -1));
    assert!(heard(&mut talk, "ann").is_empty());
}

#[test]
fn whom_it_concerns_hears_it_from_the_next_speaker() {
    let mut talk = Talk::new("", limits(2, 100));
    let done = talk.say("ann").unwrap();
    assert_eq!(done.notices.iter().map(words).collect::<Vec<_>>(), ["ann messages last"]);
    assert_eq!(talk.ledger.pending_notices().len(), 1);
    let done = talk.say("bob").unwrap();
    assert_eq!(on(&talk), ["ann messages last", "bob messages last"]);
    assert_eq!(done.notices.iter().map(words).collect::<Vec<_>>(), ["bob messages last"]);
    assert_eq!(heard(&mut talk, "cyd"), ["bob messages last", "cyd messages last"]);
    assert_eq!(heard(&mut talk, "dan")[0], "cyd messages last");
}

#[test]
fn ones_own_message_does_not_bring_ones_own_notice_again() {
    let caps = Caps { tokens: Some(10), ..Caps::default() };
    let mut talk = Talk::new("", Limits { per_participant: caps, ..Limits::default() });
    talk.say_this(Say { tokens: 7, ..say("ann", "seven") }).unwrap();
    assert_eq!(on(&talk), ["ann tokens 66"]);
    assert!(heard(&mut talk, "ann").is_empty());
    talk.say_this(Say { tokens: 2, ..say("ann", "two") }).unwrap();
    assert_eq!(heard(&mut talk, "bob"), ["ann tokens 90"], "the newer one in place of the older");
}

#[test]
fn the_conversations_notices_are_told_once_to_all() {
    let caps = Caps { cost_micros: Some(100), ..Caps::default() };
    let mut talk = Talk::new("", Limits { total: caps, ..Limits::default() });
    talk.say_this(Say { cost_micros: 65, ..say("ann", "much") }).unwrap();
    assert!(on(&talk).is_empty());
    talk.say_this(Say { cost_micros: 1, ..say("ann", "little") }).unwrap();
    assert_eq!(on(&talk), ["all money 66"]);
    assert!(heard(&mut talk, "bob").is_empty());
}

#[test]
fn more_budget_makes_room_for_the_same_notice_again() {
    let mut talk = Talk::new("", limits(-1, 3));
    talk.say("ann").unwrap();
    assert_eq!(heard(&mut talk, "ann"), ["all messages last"]);
    let total = Amounts { messages: 2, ..Amounts::default() };
    talk.handle(Command::TopUp(TopUp { total, ..TopUp::default() })).outcome.unwrap();
    assert!(heard(&mut talk, "ann").is_empty());
    assert_eq!(heard(&mut talk, "ann"), ["all messages last"]);
}

#[test]
fn what_a_top_up_has_outdated_is_not_told() {
    let mut talk = Talk::new("", limits(2, -1));
    talk.say("ann").unwrap();
    let per_participant = Amounts { messages: 8, ..Amounts::default() };
    talk.handle(Command::TopUp(TopUp { per_participant, ..TopUp::default() })).outcome.unwrap();
    assert!(talk.ledger.pending_notices().is_empty());
    assert!(heard(&mut talk, "bob").is_empty());
}

#[test]
fn each_window_warns_again() {
    let mut talk = Talk::new("", Limits { refill_every_ms: Some(100), ..limits(-1, 2) });
    assert_eq!(heard(&mut talk, "ann"), ["all messages last"]);
    talk.now += 100;
    assert_eq!(heard(&mut talk, "ann"), ["all messages last"]);
}

#[test]
fn only_the_last_speakers_wait() {
    let cap = Some(2);
    let each = Caps { messages: cap, tokens: cap, cost_micros: cap };
    let mut talk = Talk::new("", Limits { per_participant: each, ..Limits::default() });
    for n in 0..40 {
        talk.say_this(Say { tokens: 1, cost_micros: 1, ..say(&format!("p{n}"), &format!("{n}")) }).unwrap();
        assert!(talk.ledger.pending_notices().len() <= 3);
    }
}

#[test]
fn nobody_hears_of_a_window_that_has_passed() {
    let mut talk = Talk::new("", Limits { refill_every_ms: Some(100), ..limits(2, -1) });
    assert_eq!(heard(&mut talk, "ann"), ["ann messages last"]);
    talk.now += 100;
    assert_eq!(heard(&mut talk, "bob"), ["bob messages last"]);
}

#[test]
fn of_somebody_who_was_removed_nothing_is_told() {
    let mut talk = Talk::new("ann bob", limits(2, -1));
    assert_eq!(heard(&mut talk, "ann"), ["ann messages last"]);
    talk.handle(Command::RemoveParticipant(id("ann"))).outcome.unwrap();
    assert!(talk.ledger.pending_notices().is_empty());
}

/// What is told of the participants by the next message of somebody else.
fn told_next(talk: &mut Talk) -> Vec<(NoticeLevel, u64, u64)> {
    talk.say("somebody else").unwrap();
    let Some((Entry::Message(message), _)) =
        talk.log.iter().rev().find(|(entry, _)| entry.author().is_some())
    else {
        panic!("nothing was said");
    };
    message.notices.iter().map(|notice| (notice.level, notice.used, notice.limit)).collect()
}

fn tokens(who: &str, tokens: u64) -> Say {
    Say { tokens, ..say(who, &format!("{tokens} tokens")) }
}

fn of_tokens(cap: u64) -> Talk {
    let caps = Caps { tokens: Some(cap), ..Caps::default() };
    Talk::new("", Limits { per_participant: caps, ..Limits::default() })
}

#[test]
fn what_is_told_of_somebody_counts_what_they_said_since() {
    let mut talk = of_tokens(100);
    talk.say_this(tokens("ann", 70)).unwrap();
    talk.say_this(tokens("ann", 10)).unwrap();
    assert_eq!(told_next(&mut talk), [(NoticeLevel::TwoThirds, 80, 100)]);
    assert!(told_next(&mut talk).is_empty());
}

#[test]
fn of_somebody_who_is_blocked_by_now_nothing_is_told() {
    let mut talk = Talk::new("", limits(2, -1));
    talk.say("ann").unwrap();
    talk.say("ann").unwrap();
    assert!(talk.ledger.pending_notices().is_empty());
    assert!(heard(&mut talk, "bob").iter().all(|words| words.starts_with("bob")));
}

#[test]
fn what_is_told_of_somebody_counts_what_they_were_given_since() {
    let mut talk = of_tokens(100);
    talk.say_this(tokens("ann", 95)).unwrap();
    let more = |tokens| {
        let own = (id("ann"), Amounts { tokens, ..Amounts::default() });
        Command::TopUp(TopUp { participants: vec![own], ..TopUp::default() })
    };
    talk.handle(more(20)).outcome.unwrap();
    assert_eq!(told_next(&mut talk), [(NoticeLevel::TwoThirds, 95, 120)]);
    talk.say_this(tokens("ann", 20)).unwrap();
    talk.handle(more(880)).outcome.unwrap();
    assert!(told_next(&mut talk).is_empty());
}

#[test]
fn what_was_given_back_is_not_told_as_held() {
    let mut talk = of_tokens(100);
    let amounts = Amounts { messages: 1, tokens: 60, ..Amounts::default() };
    let reserve = Reserve { participant: id("ann"), id: id("r"), amounts, lease_ms: 50 };
    talk.handle(Command::Reserve(reserve)).outcome.unwrap();
    talk.say_this(tokens("ann", 10)).unwrap();
    assert_eq!(talk.ledger.pending_notices().len(), 1);
    talk.handle(Command::Release { participant: id("ann"), id: id("r") }).outcome.unwrap();
    assert!(told_next(&mut talk).is_empty());
}

#[test]
fn what_is_held_counts_as_used() {
    let mut talk = Talk::new("", limits(3, -1));
    let amounts = Setup::ONE_MESSAGE;
    let reserve = Reserve { participant: id("ann"), id: id("r"), amounts, lease_ms: 50 };
    talk.handle(Command::Reserve(reserve)).outcome.unwrap();
    talk.say("ann").unwrap();
    let notice = &talk.ledger.pending_notices()[0];
    assert_eq!((notice.level, notice.used, notice.limit), (NoticeLevel::LastMessage, 2, 3));
}
