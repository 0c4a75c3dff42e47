//! The capacity table, line by line.

use super::*;

fn left(talk: &Talk, who: &str) -> (Option<u64>, Option<u64>) {
    (talk.share(who).budget.remaining.messages, talk.capacity().total.remaining.messages)
}

#[test]
fn two_replies_of_five_in_all_are_counted_down() {
    let mut talk = Talk::new("", limits(2, 5));
    talk.say("ann").unwrap();
    assert_eq!(left(&talk, "ann"), (Some(1), Some(4)));
    assert!(talk.share("ann").may_send && !talk.capacity().exhausted);
    talk.say("ann").unwrap();
    assert_eq!(left(&talk, "ann"), (Some(0), Some(3)));
    assert!(!talk.share("ann").may_send && !talk.capacity().exhausted);
    assert_eq!(talk.share("ann").reason, Some(Code::ParticipantLimit));
}

#[test]
fn a_full_participant_ends_nothing_for_others() {
    let mut talk = Talk::new("", limits(1, -1));
    assert!(talk.share("ann").may_send);
    talk.say("ann").unwrap();
    assert!(!talk.share("ann").may_send && talk.share("ann").exhausted);
    assert!(!talk.capacity().exhausted);
    assert!(talk.share("bob").may_send);
}

#[test]
fn two_full_participants_leave_a_third_free() {
    let mut talk = Talk::new("", limits(1, -1));
    talk.say("ann").unwrap();
    talk.say("bob").unwrap();
    assert!(!talk.share("ann").may_send && !talk.share("bob").may_send);
    assert_eq!(talk.ledger.exhausted(), None);
    talk.say("cyd").unwrap();
}

#[test]
fn the_same_author_twice_with_one_reply_is_delivered_once() {
    let mut talk = Talk::new("", limits(1, -1));
    talk.say("ann").unwrap();
    let refusal = talk.say("ann").unwrap_err();
    assert_eq!((refusal.code, refusal.scope), (Code::ParticipantLimit, Scope::Participant));
    assert_eq!((refusal.limit, refusal.used, refusal.remaining), (Some(1), Some(1), Some(0)));
    assert!(refusal.code.is_capacity());
    assert_eq!(talk.events(), ["created", "message", "participant_blocked"]);
}

#[test]
fn the_third_of_two_messages_is_dropped() {
    let mut talk = Talk::new("", limits(-1, 2));
    talk.say("ann").unwrap();
    talk.say("bob").unwrap();
    assert_eq!(talk.refused("ann"), Code::TotalLimit);
    assert_eq!(talk.events(), ["created", "message", "message", "exhausted"]);
}

#[test]
fn dropped_messages_never_count() {
    let mut talk = Talk::new("", limits(1, 5));
    talk.say("ann").unwrap();
    let before = talk.ledger.clone();
    (0..10).for_each(|_| assert_eq!(talk.refused("ann"), Code::ParticipantLimit));
    assert_eq!(talk.ledger, before);
}

#[test]
fn the_end_is_checked_before_the_share_and_the_total_before_both() {
    let mut talk = Talk::new("", limits(1, 1));
    talk.say("ann").unwrap();
    assert_eq!(talk.refused("ann"), Code::TotalLimit);
    assert_eq!(talk.refused("bob"), Code::TotalLimit);
}

#[test]
fn the_end_stays_until_somebody_tops_it_up() {
    let mut talk = Talk::new("", limits(-1, 1));
    talk.say("ann").unwrap();
    talk.now += 1_000_000_000;
    assert_eq!(talk.refused("ann"), Code::TotalLimit);
    let total = Amounts { messages: 1, ..Amounts::default() };
    let by = TopUp { total, ..TopUp::default() };
    talk.handle(Command::TopUp(by)).outcome.unwrap();
    talk.say("ann").unwrap();
    assert_eq!(talk.refused("ann"), Code::TotalLimit);
    let after = ["created", "message", "exhausted", "topped_up", "reopened", "message", "exhausted"];
    assert_eq!(talk.events(), after);
}

#[test]
fn without_limits_nothing_ends_and_what_is_left_is_null() {
    let mut talk = Talk::new("", Limits::default());
    (0..100).for_each(|_| drop(talk.say("ann").unwrap()));
    assert_eq!(left(&talk, "ann"), (None, None));
    assert!(talk.share("ann").may_send && !talk.capacity().exhausted);
    let json = serde_json::to_value(talk.share("ann")).unwrap();
    assert!(json["budget"]["remaining"]["messages"].is_null());
}

#[test]
fn zero_is_nothing_at_all() {
    let mut talk = Talk::new("", limits(-1, 0));
    assert_eq!(talk.events(), ["created", "exhausted"]);
    assert_eq!(talk.refused("ann"), Code::TotalLimit);
    let mut talk = Talk::new("", limits(0, -1));
    assert_eq!(talk.refused("ann"), Code::ParticipantLimit);
    let mut talk = Talk::new("ann bob", limits(0, -1));
    assert_eq!(talk.events(), ["created", "participant_blocked", "participant_blocked", "exhausted"]);
    assert_eq!(talk.refused("ann"), Code::AllParticipantsExhausted);
}
