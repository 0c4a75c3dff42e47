//! What is no message at all: a typed rejection, and the server goes on.

use super::talk::{Door, Talk, rest};
use crate::gateway::{Gateway, USER};
use crate::plain::Plain;
use arena_testing::TestDatabase;
use serde_json::{Value, json};

/// What is said instead of a message, the status of REST, and the code.
fn nonsense() -> Vec<(Value, u16, &'static str)> {
    let invalid = |payload: Value| (payload, 422, "invalid_body");
    vec![
        invalid(json!(null)),
        invalid(json!("hello")),
        invalid(json!(7)),
        invalid(json!(true)),
        invalid(json!([])),
        invalid(json!([{ "author": "ada", "text": "hi" }])),
        invalid(json!({})),
        invalid(json!({ "text": "nobody says this" })),
        invalid(json!({ "author": null, "text": "hi" })),
        invalid(json!({ "author": "", "text": "hi" })),
        invalid(json!({ "author": 7, "text": "hi" })),
        invalid(json!({ "author": "x".repeat(200), "text": "hi" })),
        invalid(json!({ "author": "ada" })),
        invalid(json!({ "author": "ada", "text": null })),
        invalid(json!({ "author": "ada", "text": "hi", "tokens": -1 })),
        invalid(json!({ "author": "ada", "text": "hi", "tokens": 0.5 })),
        invalid(json!({ "author": "ada", "text": "hi", "cost_micros": "7" })),
        invalid(json!({ "author": "ada", "text": "hi", "id": "" })),
        invalid(json!({ "author": "ada", "text": "hi", "id": "two words" })),
        invalid(json!({ "author": "ada", "text": "hi", "colour": "red" })),
        (json!({ "author": "ada", "text": "x".repeat(20_000) }), 422, "text_too_long"),
        (json!({ "author": "ada", "text": "hi", "data": "x".repeat(20_000) }), 422, "text_too_long"),
    ]
}

fn check(database: TestDatabase) {
    let gateway = Gateway::over(database);
    for door in Door::ALL {
        let mut talk = Talk::begin(&gateway, door, &json!({ "limits": { "max_total_messages": 1 } }));
        for (payload, status, code) in nonsense() {
            eprintln!("{door:?}: {}", payload.to_string().chars().take(80).collect::<String>());
            talk.rejected("message", &payload, status, code);
        }
        assert_eq!((talk.used(), talk.logged("message").len()), (0, 0));
        assert!(talk.heard("channel_capacity_exceeded").is_empty());
        talk.said("ada");
    }
}

#[test]
fn what_is_no_message_is_rejected_by_both_doors_on_sqlite() {
    check(TestDatabase::sqlite());
}

#[test]
fn what_is_no_message_is_rejected_by_both_doors_on_postgres() {
    check(TestDatabase::postgres());
}

#[test]
fn what_is_no_json_is_rejected_and_the_server_goes_on() {
    let gateway = Gateway::start();
    let mut talk = Talk::begin(&gateway, Door::Rest, &json!({}));
    let path = format!("/api/conversations/{}/messages", talk.id);
    for (body, status, code) in [
        ("hello", 400, "malformed_json"),
        ("", 422, "invalid_body"),
        ("{", 400, "malformed_json"),
        ("{\"author\": \"ada\", \"text\": \"\\ud800\"}", 422, "invalid_body"),
    ] {
        let answer = rest(&gateway.address(), "POST", &path, None, body);
        assert_eq!((answer.status, answer.body["code"].as_str()), (Some(status), Some(code)), "{body}");
    }
    // An event of the user's own, and what a broadcast may be around it.
    for payload in [json!(null), json!("hello"), json!([]), json!({}), json!({ "author": "ada" })] {
        let reply = talk.speaker.push("message", &payload);
        assert_eq!((&reply["status"], &reply["response"]["code"]), (&json!("error"), &json!("invalid_body")));
    }
    talk.said("ada");
    talk.through(Door::Socket).said("ada");
}

#[test]
fn a_conversation_that_is_none_is_refused_and_the_server_goes_on() {
    let gateway = Gateway::start();
    let mut client = Plain::connect(&gateway.address(), Some(gateway.service()));
    let message = r#"{"author": "ada", "text": "hi"}"#;
    for unknown in ["nobody-began-this", &"x".repeat(97)] {
        let path = format!("/api/conversations/{unknown}/messages");
        let answer = rest(&gateway.address(), "POST", &path, None, message);
        assert!(!answer.done && matches!(answer.status, Some(400 | 404)), "{answer:?}");
        let reply = client.try_join(&format!("conversation:{unknown}"), &json!({}));
        assert_eq!(reply["status"], "error", "{reply}");
        assert!(
            reply["response"]["reason"].as_str().unwrap().starts_with("conversation_not_found: "),
            "{reply}"
        );
    }
    for nameless in ["/api/conversations//messages", "/api/conversations/messages"] {
        let answer = rest(&gateway.address(), "POST", nameless, None, message);
        assert!(!answer.done && matches!(answer.status, Some(400 | 404 | 405)), "{answer:?}");
    }
    assert_eq!(client.try_join("conversation:", &json!({}))["status"], "error");
    Talk::begin(&gateway, Door::Socket, &json!({})).said("ada");
}

#[test]
fn users_speak_for_themselves_alone_and_run_nothing() {
    let gateway = Gateway::start();
    let talk = Talk::begin(&gateway, Door::Rest, &json!({ "participants": ["ada", "bo"] }));
    let [ada, eve] = ["ada", "eve"].map(|user| gateway.token(user, USER, "1h"));
    let topic = format!("conversation:{}", talk.id);
    let mut client = Plain::connect(&gateway.address(), Some(&ada));
    client.join(&topic, &json!({}));
    let path = |what: &str| format!("/api/conversations/{}/{what}", talk.id);
    for (what, event, body, status, code) in [
        ("messages", "message", json!({ "author": "bo", "text": "hi" }), 403, "not_your_name"),
        ("top-up", "top_up", json!({ "total": { "messages": 1 } }), 403, "service_only"),
        ("close", "close", json!({}), 403, "service_only"),
        ("reopen", "reopen", json!({}), 403, "service_only"),
        ("system", "system", json!({ "text": "hi" }), 403, "service_only"),
        ("turn", "turn", json!({ "participant": "ada" }), 403, "service_only"),
    ] {
        let answer = rest(&gateway.address(), "POST", &path(what), Some(&ada), &body.to_string());
        assert_eq!((answer.status, answer.body["code"].as_str()), (Some(status), Some(code)), "{what}");
        let reply = client.ask(event, &body);
        assert_eq!(
            (&reply["status"], &reply["response"]["code"]),
            (&json!("error"), &json!(code)),
            "{event}"
        );
    }
    let body = json!({ "text": "in my own name" });
    let answer = rest(&gateway.address(), "POST", &path("messages"), Some(&ada), &body.to_string());
    assert_eq!(answer.status, Some(201), "{answer:?}");
    assert_eq!(client.ask("message", &body)["status"], "ok");
    let authors: Vec<Value> =
        talk.logged("message").iter().map(|line| line["payload"]["author"].clone()).collect();
    assert_eq!(authors, ["ada", "ada"]);

    let reply = Plain::connect(&gateway.address(), Some(&eve)).try_join(&topic, &json!({}));
    assert!(reply["response"]["reason"].as_str().unwrap().starts_with("Unauthorized: "), "{reply}");
    let answer = rest(&gateway.address(), "POST", &path("messages"), Some(&eve), &body.to_string());
    assert_eq!((answer.status, &answer.body["code"]), (Some(403), &json!("not_a_participant")));
    let answer = rest(&gateway.address(), "GET", &path("messages"), Some(&eve), "");
    assert_eq!(answer.status, Some(403), "{answer:?}");
}
