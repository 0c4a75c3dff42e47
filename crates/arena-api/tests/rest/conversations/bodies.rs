//! Whatever a client sends, it is told what is wrong with it.

use super::{create, limited};
use crate::server::Server;
use arena_api::ApiLimits;
use arena_testing::TestDatabase;
use serde_json::json;

/// What is no body at all, for every call that takes one.
const NO_OBJECTS: [(&str, u16, &str); 6] = [
    ("null", 422, "invalid_body"),
    ("\"hello\"", 422, "invalid_body"),
    ("[]", 422, "invalid_body"),
    ("7", 422, "invalid_body"),
    ("hello", 400, "malformed_json"),
    ("{", 400, "malformed_json"),
];

#[tokio::test]
async fn what_is_no_object_is_refused_by_every_call() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    for call in [
        "POST ",
        "PUT /c",
        "POST /c/messages",
        "POST /c/reservations",
        "POST /c/top-up",
        "POST /c/close",
        "POST /c/reopen",
        "POST /c/turn",
        "POST /c/participants",
        "POST /c/system",
    ] {
        let (method, path) = call.split_once(' ').unwrap();
        let path = format!("/api/conversations{path}");
        for (body, status, code) in NO_OBJECTS {
            let call = if method == "PUT" { server.put(&path) } else { server.post(&path) };
            call.text("application/json", body).send().await.refused(status, code);
        }
        let call = if method == "PUT" { server.put(&path) } else { server.post(&path) };
        call.text("application/json", &b"{\"text\": \"\xff\"}"[..])
            .send()
            .await
            .refused(400, "malformed_json");
        let call = if method == "PUT" { server.put(&path) } else { server.post(&path) };
        call.text("text/plain", "{}").send().await.refused(415, "unsupported_media_type");
    }
    for (body, status, code) in NO_OBJECTS {
        server.put("/api/budgets/owner:o").text("application/json", body).send().await.refused(status, code);
    }
    let events = super::events_of(&server).await;
    assert_eq!(events, ["created"], "nothing of it left a trace");
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    for (call, body, named) in [
        ("/c/messages", r#"{"author": "a"}"#, "`text`"),
        ("/c/messages", r#"{"text": "x"}"#, "`author`"),
        ("/c/messages", r#"{"author": "", "text": "x"}"#, "author"),
        ("/c/messages", r#"{"author": "a", "text": 5}"#, "text"),
        ("/c/messages", r#"{"author": "a", "text": "x", "tokens": -1}"#, "tokens"),
        ("/c/messages", r#"{"author": "a", "text": "x", "tokens": 0.5}"#, "tokens"),
        ("/c/messages", r#"{"author": "a", "text": "x", "id": ""}"#, "id"),
        ("/c/messages", r#"{"author": "a", "text": "x", "turn": "a"}"#, "`turn`"),
        ("/c/reservations", r#"{"participant": "a", "lease_ms": -5}"#, "lease_ms"),
        ("/c/reservations", r#"{"tokens": 5}"#, "`participant`"),
        ("/c/top-up", r#"{"total": {"messages": -1}}"#, "total.messages"),
        ("/c/top-up", r#"{"messages": 1}"#, "`messages`"),
        ("/c/turn", "{}", "`participant`"),
        ("/c/participants", r#"{"participant": null}"#, "participant"),
        ("/c/system", "{}", "`text`"),
        ("", r#"{"limits": {"max_total_messages": -1}}"#, "limits.max_total_messages"),
        ("", r#"{"limits": {"max_total_messages": 1.5}}"#, "limits.max_total_messages"),
        ("", r#"{"participants": "ada"}"#, "participants"),
        ("", r#"{"id": "two words"}"#, "id"),
        ("", r#"{"id": "stats"}"#, "reserved"),
    ] {
        let call = server.post(&format!("/api/conversations{call}")).text("application/json", body);
        let detail = call.send().await.refused(422, "invalid_body");
        assert!(detail.contains(named), "{body}: {detail}");
    }
}

#[tokio::test]
async fn setups_that_make_no_sense_are_refused() {
    let server = Server::start(TestDatabase::sqlite()).await;
    for body in [
        json!({"participants": ["a", "a"]}),
        json!({"turns": {"policy": "round_robin"}}),
        json!({"limits": {"guaranteed_per_participant": 1}}),
        json!({"limits": {"refill_every_ms": 0}}),
        json!({"moderation": {"url": "http://example.com/"}}),
        json!({"loops": {"window": 1_000}}),
    ] {
        server.post("/api/conversations").json(body).send().await.refused(422, "invalid_conversation");
    }
    server
        .post("/api/conversations")
        .json(json!({"parent": "gone"}))
        .send()
        .await
        .refused(404, "conversation_not_found");
    limited(&server, json!({})).await;
    let put = server.put("/api/conversations/c").json(json!({"turns": {"policy": "mention_first"}}));
    put.send().await.refused(422, "invalid_conversation");
}

#[tokio::test]
async fn texts_are_as_long_as_the_settings_say() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    let narrow = server.limited(ApiLimits { max_text_bytes: 10, ..ApiLimits::default() }).await;
    for (what, body, fits) in [
        ("messages", json!({"author": "a", "text": "x".repeat(10)}), true),
        ("messages", json!({"author": "a", "text": "x".repeat(11)}), false),
        ("messages", json!({"author": "a", "text": "", "data": "x".repeat(8)}), true),
        ("messages", json!({"author": "a", "text": "", "data": "x".repeat(9)}), false),
        ("system", json!({"text": "x".repeat(11)}), false),
    ] {
        let answer = narrow.post(&format!("/api/conversations/c/{what}")).json(body).send().await;
        if fits {
            answer.ok(201);
        } else {
            answer.refused(422, "text_too_long");
        }
    }
    let long = json!({"author": "a", "text": "x".repeat(16_385)});
    server.post("/api/conversations/c/messages").json(long).send().await.refused(422, "text_too_long");
}

#[tokio::test]
async fn paths_and_queries_are_checked() {
    let server = Server::start(TestDatabase::sqlite()).await;
    create(&server, json!({"id": "c"})).await;
    server.get("/api/conversations/a%20b").send().await.refused(400, "invalid_path");
    server
        .delete("/api/conversations/c/reservations/a%20b?participant=a")
        .send()
        .await
        .refused(400, "invalid_path");
    for query in ["messages?limit=0", "messages?limit=1001", "messages?after=-1", "messages?before=1"] {
        server.get(&format!("/api/conversations/c/{query}")).send().await.refused(400, "invalid_query");
    }
    server.get("/api/conversations/c?full=1").send().await.refused(400, "invalid_query");
    server.post("/api/conversations/c/messages?after=1").send().await.refused(400, "invalid_query");
    let stream = || server.get("/api/conversations/c/messages/stream");
    stream().header("last-event-id", "x").send().await.refused(400, "invalid_header");
    server.get("/api/conversations/gone/messages").send().await.refused(404, "conversation_not_found");
    server.get("/api/conversations/gone/messages/stream").send().await.refused(404, "conversation_not_found");
    let answer = server.delete("/api/conversations").send().await;
    assert_eq!(answer.headers["allow"], "GET,HEAD,POST");
    answer.refused(405, "method_not_allowed");
}
