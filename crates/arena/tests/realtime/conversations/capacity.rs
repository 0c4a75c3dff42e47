//! What capacity means, line by line, by both doors and on both databases.

use super::talk::{Door, Talk};
use crate::gateway::Gateway;
use crate::plain::Plain;
use arena_testing::TestDatabase;
use serde_json::{Value, json};

/// A line of the table: what holds, and how that is seen.
type Line = (&'static str, fn(&Gateway, Door));

const LINES: &[Line] = &[
    ("each message is taken off both budgets", each_message_is_taken_off_both_budgets),
    ("who is blocked blocks nobody else", who_is_blocked_blocks_nobody_else),
    ("several can be blocked and others speak", several_can_be_blocked_and_others_speak),
    ("what is dropped is told once", what_is_dropped_is_told_once),
    ("the total is reached without an event", the_total_is_reached_without_an_event),
    ("what is dropped never counts", what_is_dropped_never_counts),
    ("an end lasts until a top-up, which is audited", an_end_lasts_until_a_top_up),
    ("the end goes before the share", the_end_goes_before_the_share),
    ("no limits limit nothing", no_limits_limit_nothing),
    ("zero is nothing at all", zero_is_nothing_at_all),
    ("new limits keep the counters", new_limits_keep_the_counters),
    ("there is one end with final counters", there_is_one_end_with_final_counters),
    ("a roster that is spent waits for a late joiner", a_spent_roster_waits_for_a_late_joiner),
    ("a message is counted once by whatever door", a_message_is_counted_once_by_whatever_door),
    ("tokens and money are budgets too", tokens_and_money_are_budgets_too),
    ("a silent drop tells the sender nothing", a_silent_drop_tells_the_sender_nothing),
    ("the system is not charged", the_system_is_not_charged),
];

fn check(database: TestDatabase) {
    let gateway = Gateway::over(database);
    for (holds, line) in LINES {
        for door in Door::ALL {
            // The last of these is the line that failed.
            eprintln!("{door:?}: {holds}");
            line(&gateway, door);
        }
    }
}

#[test]
fn capacity_means_the_same_by_both_doors_on_sqlite() {
    check(TestDatabase::sqlite());
}

#[test]
fn capacity_means_the_same_by_both_doors_on_postgres() {
    check(TestDatabase::postgres());
}

fn limited<'a>(gateway: &'a Gateway, door: Door, limits: &Value) -> Talk<'a> {
    Talk::begin(gateway, door, &json!({ "limits": limits }))
}

fn each_message_is_taken_off_both_budgets(gateway: &Gateway, door: Door) {
    let limits = json!({ "max_replies_per_participant": 2, "max_total_messages": 5 });
    let mut talk = limited(gateway, door, &limits);
    assert_eq!(talk.left("ada"), json!([2, 5, true, null]));
    talk.said("ada");
    assert_eq!(talk.left("ada"), json!([1, 4, true, null]));
    let receipt = talk.said("ada");
    assert_eq!(talk.left("ada"), json!([0, 3, false, null]));
    assert_eq!(receipt["share"]["remaining"]["messages"], 0);
    assert_eq!(
        (&receipt["share"]["reason"], &receipt["exhausted"]),
        (&json!("participant_limit"), &json!(null))
    );
}

fn who_is_blocked_blocks_nobody_else(gateway: &Gateway, door: Door) {
    let mut talk = limited(gateway, door, &json!({ "max_replies_per_participant": 1 }));
    assert_eq!(talk.left("ada"), json!([1, null, true, null]));
    talk.said("ada");
    assert_eq!(talk.left("ada"), json!([0, null, false, null]));
    assert_eq!(talk.left("bo"), json!([1, null, true, null]));
    talk.said("bo");
    assert_eq!(talk.heard("participant_blocked").len(), 2);
    assert!(talk.heard("exhausted").is_empty());
}

fn several_can_be_blocked_and_others_speak(gateway: &Gateway, door: Door) {
    let mut talk = limited(gateway, door, &json!({ "max_replies_per_participant": 1 }));
    talk.said("ada");
    talk.said("bo");
    for spent in ["ada", "bo"] {
        let told = talk.dropped(spent, 409, "participant_limit");
        let numbers = [&told["limit"], &told["used"], &told["remaining"]];
        assert_eq!((&told["scope"], numbers), (&json!("participant"), [&json!(1), &json!(1), &json!(0)]));
        assert_eq!(talk.left(spent), json!([0, null, false, null]));
    }
    assert_eq!(talk.left("third"), json!([1, null, true, null]));
    talk.said("third");
}

fn what_is_dropped_is_told_once(gateway: &Gateway, door: Door) {
    let mut talk = limited(gateway, door, &json!({ "max_replies_per_participant": 1 }));
    let mut operator = Plain::connect(&gateway.address(), Some(gateway.service()));
    operator.join("operator:conversations", &json!({}));
    talk.said("ada");
    let payload = json!({ "author": "ada", "text": "again", "id": "m-2" });
    let told = talk.refused("message", &payload, 409, "participant_limit");
    assert_eq!(told["message_id"], "m-2");
    let exceeded = talk.heard("channel_capacity_exceeded");
    assert_eq!(exceeded.len(), 1, "{exceeded:?}");
    let for_operators = operator.broadcast(|told| told["event"] == "channel_capacity_exceeded");
    for told in [&exceeded[0], &for_operators["payload"]] {
        let members =
            ["conversation", "participant", "reason", "scope", "message_id"].map(|name| &told[name]);
        assert_eq!(json!(members), json!([talk.id, "ada", "participant_limit", "participant", "m-2"]));
        assert!(told["at_ms"].is_u64());
    }
    assert_eq!(for_operators["payload"]["message"]["text"], "again");
    assert!(exceeded[0].get("message").is_none(), "who has nothing left would go on talking by it");
    assert_eq!((talk.heard("message").len(), talk.logged("message").len()), (1, 1));
}

fn the_total_is_reached_without_an_event(gateway: &Gateway, door: Door) {
    let mut talk = limited(gateway, door, &json!({ "max_total_messages": 2 }));
    talk.said("ada");
    let last = talk.said("bo");
    assert_eq!(last["exhausted"], "total_limit", "the message that reaches the limit is delivered");
    assert_eq!(talk.heard("message").len(), 2);
    assert!(talk.heard("channel_capacity_exceeded").is_empty());
    let told = talk.dropped("ada", 409, "total_limit");
    let numbers = [&told["limit"], &told["used"], &told["remaining"]];
    assert_eq!((&told["scope"], numbers), (&json!("conversation"), [&json!(2), &json!(2), &json!(0)]));
    let exceeded = talk.heard("channel_capacity_exceeded");
    assert_eq!(exceeded.len(), 1);
    assert_eq!(exceeded[0]["reason"], "total_limit");
    assert_eq!(talk.heard("message").len(), 2);
}

fn what_is_dropped_never_counts(gateway: &Gateway, door: Door) {
    let limits = json!({ "max_replies_per_participant": 1, "max_total_messages": 3 });
    let mut talk = limited(gateway, door, &limits);
    talk.said("ada");
    for _ in 0..3 {
        talk.dropped("ada", 409, "participant_limit");
    }
    assert_eq!((talk.used(), talk.left("bo")), (1, json!([1, 2, true, null])));
    talk.said("bo");
    talk.said("cy");
    for _ in 0..3 {
        talk.dropped("dan", 409, "total_limit");
    }
    assert_eq!((talk.used(), talk.logged("message").len()), (3, 3));
    assert_eq!(talk.heard("channel_capacity_exceeded").len(), 6);
}

fn an_end_lasts_until_a_top_up(gateway: &Gateway, door: Door) {
    let mut talk = limited(gateway, door, &json!({ "max_total_messages": 1 }));
    talk.said("ada");
    for _ in 0..2 {
        talk.dropped("ada", 409, "total_limit");
        talk.dropped("bo", 409, "total_limit");
        talk.done("configure", &json!({ "delivery": "all" }));
    }
    assert_eq!(talk.left("bo"), json!([null, 0, false, "total_limit"]));
    talk.refused("reopen", &json!({}), 409, "wrong_state");
    let receipt = talk.done("top_up", &json!({ "total": { "messages": 1 } }));
    assert_eq!(receipt["exhausted"], json!(null));
    assert_eq!(talk.left("bo"), json!([null, 1, true, null]));
    assert_eq!((talk.heard("topped_up").len(), talk.heard("reopened").len()), (1, 1));
    let audit = gateway.get("/api/activity?action=conversation.topped_up&limit=100");
    let ours = |line: &&Value| line["detail"]["conversation"] == talk.id.as_str();
    assert_eq!(audit["items"].as_array().unwrap().iter().filter(ours).count(), 1, "{audit}");
    talk.said("bo");
    talk.dropped("bo", 409, "total_limit");
    assert_eq!(talk.logged("exhausted").len(), 2, "one for each time");
}

fn the_end_goes_before_the_share(gateway: &Gateway, door: Door) {
    let limits = json!({ "max_replies_per_participant": 1, "max_total_messages": 2 });
    let mut talk = limited(gateway, door, &limits);
    talk.said("ada");
    talk.dropped("ada", 409, "participant_limit");
    talk.said("bo");
    talk.dropped("ada", 409, "total_limit");
    talk.done("top_up", &json!({ "total": { "messages": 1 } }));
    talk.dropped("ada", 409, "participant_limit");
    talk.said("cy");
}

fn no_limits_limit_nothing(gateway: &Gateway, door: Door) {
    let mut talk = Talk::begin(gateway, door, &json!({}));
    for _ in 0..20 {
        talk.said("ada");
    }
    assert_eq!(talk.left("ada"), json!([null, null, true, null]));
    let capacity = talk.done("capacity", &json!({}));
    let unlimited = json!({ "messages": null, "tokens": null, "cost_micros": null });
    assert_eq!((&capacity["total"]["limit"], &capacity["total"]["remaining"]), (&unlimited, &unlimited));
    assert_eq!(talk.heard("message").len(), 20);
    for event in ["exhausted", "participant_blocked", "notice", "channel_capacity_exceeded"] {
        assert!(talk.heard(event).is_empty(), "{event}");
    }
}

fn zero_is_nothing_at_all(gateway: &Gateway, door: Door) {
    let mut none = limited(gateway, door, &json!({ "max_total_messages": 0 }));
    none.dropped("ada", 409, "total_limit");
    assert_eq!(none.left("ada"), json!([null, 0, false, "total_limit"]));
    let mut none = limited(gateway, door, &json!({ "max_replies_per_participant": 0 }));
    none.dropped("ada", 409, "participant_limit");
    assert_eq!(none.left("ada"), json!([0, null, false, null]));
    let change = json!({ "limits": { "max_total_messages": -1 } });
    none.rejected("configure", &change, 422, "invalid_body");
}

fn new_limits_keep_the_counters(gateway: &Gateway, door: Door) {
    let limits = json!({ "max_replies_per_participant": 2, "max_total_messages": 3 });
    let mut talk = limited(gateway, door, &limits);
    talk.said("ada");
    talk.said("ada");
    talk.said("bo");
    talk.dropped("bo", 409, "total_limit");
    let raised = json!({ "max_replies_per_participant": 3, "max_total_messages": 5 });
    talk.done("configure", &json!({ "limits": raised }));
    assert_eq!(talk.left("ada"), json!([1, 2, true, null]));
    assert_eq!(talk.heard("reopened").len(), 1);
    talk.said("ada");
    talk.dropped("ada", 409, "participant_limit");
    talk.done("configure", &json!({ "limits": { "max_total_messages": 4 } }));
    assert_eq!(talk.left("bo"), json!([null, 0, false, "total_limit"]), "lowered to what is used");
    assert_eq!(talk.used(), 4);
}

fn there_is_one_end_with_final_counters(gateway: &Gateway, door: Door) {
    let mut talk = limited(gateway, door, &json!({ "max_total_messages": 2 }));
    talk.said("ada");
    talk.said("ada");
    for _ in 0..3 {
        talk.dropped("bo", 409, "total_limit");
    }
    let ends = talk.heard("exhausted");
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!((&ends[0]["reason"], &ends[0]["used"]["messages"]), (&json!("total_limit"), &json!(2)));
}

fn a_spent_roster_waits_for_a_late_joiner(gateway: &Gateway, door: Door) {
    let setup = json!({ "participants": ["ada", "bo"], "limits": { "max_replies_per_participant": 1 } });
    let mut talk = Talk::begin(gateway, door, &setup);
    talk.refused("message", &json!({ "author": "eve", "text": "hi" }), 403, "not_a_participant");
    assert!(talk.heard("channel_capacity_exceeded").is_empty(), "it is no want of capacity");
    talk.said("ada");
    assert_eq!(talk.said("bo")["exhausted"], "all_participants_exhausted");
    talk.dropped("ada", 409, "all_participants_exhausted");
    gateway.post(&format!("/api/conversations/{}/participants", talk.id), &json!({ "participant": "late" }));
    assert_eq!(talk.left("late"), json!([1, null, true, null]));
    talk.dropped("ada", 409, "participant_limit");
    talk.said("late");
    talk.dropped("late", 409, "all_participants_exhausted");
}

fn a_message_is_counted_once_by_whatever_door(gateway: &Gateway, door: Door) {
    let mut talk = limited(gateway, door, &json!({ "max_total_messages": 2 }));
    let message = json!({ "author": "ada", "text": "hi", "id": "m-1" });
    let first = talk.done("message", &message);
    for again in Door::ALL {
        let repeat = talk.through(again).done("message", &message);
        assert_eq!((&repeat["repeated"], &repeat["offset"]), (&json!(true), &first["offset"]));
        assert_eq!((&repeat["id"], &repeat["epoch"]), (&json!("m-1"), &first["epoch"]));
        for other in [json!({ "author": "ada", "text": "ho" }), json!({ "author": "bo", "text": "hi" })] {
            let mut other = other;
            other["id"] = json!("m-1");
            talk.refused("message", &other, 409, "id_conflict");
        }
    }
    talk.through(door);
    assert_eq!((talk.used(), talk.heard("message").len()), (1, 1));
    talk.said("bo");
    assert_eq!(talk.done("message", &message)["repeated"], true, "an end does not change what was");
    assert!(talk.heard("channel_capacity_exceeded").is_empty());
}

fn tokens_and_money_are_budgets_too(gateway: &Gateway, door: Door) {
    let limits = json!({ "max_total_tokens": 100, "max_cost_micros_per_participant": 1_000 });
    let mut talk = limited(gateway, door, &limits);
    let message = |author: &str, tokens: u64, cost_micros: u64| json!({ "author": author, "text": "hi", "tokens": tokens, "cost_micros": cost_micros });
    talk.done("message", &message("ada", 60, 900));
    let told = talk.refused("message", &message("ada", 10, 101), 409, "cost_limit");
    assert_eq!((&told["scope"], &told["remaining"]), (&json!("participant"), &json!(100)));
    let told = talk.refused("message", &message("bo", 41, 0), 409, "token_limit");
    assert_eq!((&told["scope"], &told["remaining"]), (&json!("conversation"), &json!(40)));
    assert_eq!(talk.done("message", &message("bo", 40, 0))["exhausted"], "token_limit");
    assert_eq!(talk.heard("channel_capacity_exceeded").len(), 2);
}

fn a_silent_drop_tells_the_sender_nothing(gateway: &Gateway, door: Door) {
    let setup = json!({ "limits": { "max_replies_per_participant": 1 }, "on_refusal": "silent_drop" });
    let mut talk = Talk::begin(gateway, door, &setup);
    talk.said("ada");
    let answer = talk.ask("message", &json!({ "author": "ada", "text": "more" }));
    assert!(answer.done && answer.status.is_none_or(|status| status == 202), "{answer:?}");
    assert_eq!(answer.body["dropped"]["code"], "participant_limit");
    assert_eq!((talk.used(), talk.heard("message").len()), (1, 1));
    assert_eq!(talk.heard("channel_capacity_exceeded").len(), 1, "the others are told");
}

fn the_system_is_not_charged(gateway: &Gateway, door: Door) {
    let mut talk =
        limited(gateway, door, &json!({ "max_replies_per_participant": 1, "max_total_messages": 1 }));
    for _ in 0..3 {
        talk.done("system", &json!({ "text": "be brief" }));
    }
    assert_eq!(talk.left("ada"), json!([1, 1, true, null]));
    talk.said("ada");
    assert_eq!((talk.heard("system").len(), talk.used()), (3, 1));
}
