//! The codes of refusals and their statuses: 429 where time helps, 409 where somebody has to act.

use super::talk::{Door, Talk};
use crate::gateway::Gateway;
use crate::support::PATIENCE;
use arena_testing::{TestDatabase, free_port, wait_until};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;

/// A line of the table: a setup, what is done then, and the refusal of what `ada` says last: its status, its code, its
/// scope.
struct Line {
    setup: Value,
    before: fn(&mut Talk<'_>),
    refusal: (u16, &'static str, &'static str),
}

fn line(setup: Value, before: fn(&mut Talk<'_>), refusal: (u16, &'static str, &'static str)) -> Line {
    Line { setup, before, refusal }
}

/// Nothing happens before.
fn nothing(_: &mut Talk<'_>) {}

fn ada_speaks(talk: &mut Talk<'_>) {
    talk.said("ada");
}

fn bo_speaks(talk: &mut Talk<'_>) {
    talk.said("bo");
}

fn somebody_reserves(talk: &mut Talk<'_>) {
    talk.done("reserve", &json!({ "participant": "bo", "messages": 1 }));
}

fn a_moderator_closes_it(talk: &mut Talk<'_>) {
    talk.done("close", &json!({}));
}

fn time_passes(talk: &mut Talk<'_>) {
    wait_until(PATIENCE, "it is over", || talk.done("capacity", &json!({}))["exhausted"] == "timeout");
}

fn ada_says_the_same_twice(talk: &mut Talk<'_>) {
    for _ in 0..2 {
        talk.done("message", &json!({ "author": "ada", "text": "more" }));
    }
}

fn lines(moderator: &str) -> Vec<Line> {
    let mine = json!({ "max_replies_per_participant": 1 });
    let all = json!({ "max_total_messages": 1 });
    let refilled = |mut limits: Value| {
        limits["refill_every_ms"] = json!(3_600_000);
        json!({ "limits": limits })
    };
    let pair = json!(["ada", "bo"]);
    let guaranteed = json!({ "max_total_messages": 2, "guaranteed_per_participant": 1 });
    let asks = |url: &str| json!({ "moderation": { "url": url, "on_failure": "closed" } });
    let once = json!({ "max_messages": 1 });
    let hourly = json!({ "max_messages": 1, "refill_every_ms": 3_600_000 });
    let loops = json!({ "loops": { "max_repeats": 3, "throttle_ms": 600_000 } });
    let (participant, conversation, tree) = ("participant", "conversation", "tree");
    vec![
        line(json!({ "limits": mine }), ada_speaks, (409, "participant_limit", participant)),
        line(refilled(mine.clone()), ada_speaks, (429, "participant_limit", participant)),
        line(json!({ "limits": all }), bo_speaks, (409, "total_limit", conversation)),
        line(refilled(all.clone()), bo_speaks, (429, "total_limit", conversation)),
        line(json!({ "limits": all }), somebody_reserves, (429, "total_limit", conversation)),
        line(json!({ "limits": { "max_total_tokens": 0 } }), nothing, (409, "token_limit", conversation)),
        line(json!({ "limits": { "max_total_cost_micros": 0 } }), nothing, (409, "cost_limit", conversation)),
        line(json!({ "limits": { "max_duration_ms": 1 } }), time_passes, (409, "timeout", conversation)),
        line(json!({ "limits": { "idle_timeout_ms": 1 } }), time_passes, (409, "timeout", conversation)),
        line(json!({}), a_moderator_closes_it, (409, "closed_by_moderator", conversation)),
        line(json!({ "tree_limits": once }), bo_speaks, (409, "total_limit", tree)),
        line(json!({ "tree_limits": hourly }), bo_speaks, (429, "total_limit", tree)),
        line(
            json!({ "participants": pair, "limits": guaranteed }),
            ada_speaks,
            (409, "guaranteed_to_others", conversation),
        ),
        line(
            json!({ "participants": pair, "turns": { "policy": "round_robin" } }),
            ada_speaks,
            (409, "not_your_turn", conversation),
        ),
        line(json!({ "participants": ["bo", "cy"] }), nothing, (403, "not_a_participant", participant)),
        line(loops, ada_says_the_same_twice, (429, "loop_detected", participant)),
        line(asks(moderator), nothing, (422, "moderation_rejected", conversation)),
        line(
            asks(&format!("http://127.0.0.1:{}/", free_port())),
            nothing,
            (503, "moderation_unavailable", conversation),
        ),
    ]
}

fn check(gateway: &Gateway, door: Door, line: &Line) {
    let mut talk = Talk::begin(gateway, door, &line.setup);
    (line.before)(&mut talk);
    let before = (talk.logged("message").len(), talk.used());
    let (status, code, scope) = line.refusal;
    let message = json!({ "author": "ada", "text": "more", "id": "m-last" });
    let told = talk.refused("message", &message, status, code);
    assert_eq!((&told["scope"], &told["message_id"]), (&json!(scope), &json!("m-last")), "{told}");
    assert_eq!((talk.logged("message").len(), talk.used()), before, "it costs nothing and is stored nowhere");
    let is_about_capacity = matches!(status, 409 | 429);
    assert_eq!(talk.heard("channel_capacity_exceeded").len(), usize::from(is_about_capacity), "{told}");
}

fn check_all(database: TestDatabase) {
    let gateway = Gateway::over(database);
    for line in lines(&moderator()) {
        for door in Door::ALL {
            // The last of these is the line that failed.
            eprintln!("{door:?}: {:?}", line.refusal);
            check(&gateway, door, &line);
        }
    }
}

#[test]
fn refusals_have_the_same_codes_and_numbers_by_both_doors_on_sqlite() {
    check_all(TestDatabase::sqlite());
}

#[test]
fn refusals_have_the_same_codes_and_numbers_by_both_doors_on_postgres() {
    check_all(TestDatabase::postgres());
}

#[test]
fn what_is_no_message_is_refused_by_its_own_codes() {
    let gateway = Gateway::start();
    for door in Door::ALL {
        let mut talk = Talk::begin(&gateway, door, &json!({}));
        let unheld = json!({ "author": "ada", "text": "hi", "reservation": "r-none" });
        talk.done("message", &unheld);
        talk.refused("reopen", &json!({}), 409, "wrong_state");
        let owned = json!({ "limits": { "guaranteed_per_participant": 2 } });
        talk.rejected("configure", &owned, 422, "invalid_conversation");
        let given = json!({ "participant": "ada" });
        talk.refused("turn", &given, 409, "wrong_state");
    }
}

/// A moderator that lets nothing through. It ends with the test's process.
fn moderator() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/check", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let verdict = r#"{"allow": false, "reason": "not in this house"}"#;
            let length = verdict.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{verdict}"
            );
        }
    });
    url
}
