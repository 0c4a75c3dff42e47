//! In whose name one may speak, and what is for services only.

use super::{create, limited};
use crate::client::{Answer, Call};
use crate::server::{Server, on_both};
use serde_json::{Value, json};

fn as_user(call: Call, user: &str) -> Call {
    call.header("authorization", &format!("Bearer {user}"))
}

async fn says(server: &Server, user: &str, body: Value) -> Answer {
    as_user(server.post("/api/conversations/c/messages"), user).json(body).send().await
}

on_both!(a_token_speaks_for_its_subject_only, async |server: Server| {
    limited(&server, json!({})).await;
    let own = says(&server, "ada", json!({"text": "hi"})).await.ok(201);
    assert_eq!(own["share"]["participant"], "ada");
    says(&server, "ada", json!({"text": "hi", "author": "ada"})).await.ok(201);
    says(&server, "ada", json!({"text": "hi", "author": "bo"})).await.refused(403, "not_your_name");
    says(&server, "service", json!({"text": "hi", "author": "bo"})).await.ok(201);
    says(&server, "service", json!({"text": "hi"})).await.refused(422, "invalid_body");
    says(&server, "anon", json!({"text": "hi", "author": "ada"})).await.refused(403, "not_your_name");
    let basic = server.post("/api/conversations/c/messages").header("authorization", "Basic eA==");
    basic.json(json!({"text": "hi", "author": "ada"})).send().await.refused(401, "unauthorized");

    let reserve = |body| as_user(server.post("/api/conversations/c/reservations"), "ada").json(body).send();
    reserve(json!({"participant": "bo"})).await.refused(403, "not_your_name");
    reserve(json!({"id": "r-1"})).await.ok(201);
    let release = |query: &str| {
        as_user(server.delete(&format!("/api/conversations/c/reservations/r-1{query}")), "ada").send()
    };
    release("?participant=bo").await.refused(403, "not_your_name");
    release("").await.ok(200);
    let context =
        |query: &str| as_user(server.get(&format!("/api/conversations/c/context{query}")), "ada").send();
    context("?participant=bo").await.refused(403, "not_your_name");
    assert_eq!(context("").await.ok(200)["share"]["participant"], "ada");
});

on_both!(users_do_not_run_conversations, async |server: Server| {
    create(&server, json!({"id": "c"})).await;
    for (method, path, body) in [
        ("POST", "", json!({})),
        ("GET", "", Value::Null),
        ("PUT", "/c", json!({"limits": {}})),
        ("DELETE", "/c", Value::Null),
        ("POST", "/c/top-up", json!({"total": {"messages": 1}})),
        ("POST", "/c/close", json!({})),
        ("POST", "/c/reopen", json!({})),
        ("POST", "/c/system", json!({"text": "x"})),
        ("POST", "/c/turn", json!({"participant": "ada"})),
        ("POST", "/c/participants", json!({"participant": "ada"})),
        ("DELETE", "/c/participants/ada", Value::Null),
    ] {
        let path = format!("/api/conversations{path}");
        let call = match method {
            "POST" => server.post(&path).json(body),
            "PUT" => server.put(&path).json(body),
            "DELETE" => server.delete(&path),
            _ => server.get(&path),
        };
        as_user(call, "ada").send().await.refused(403, "service_only");
    }
    let set = server.put("/api/budgets/owner:ada").json(json!({"max_messages": 9}));
    as_user(set, "ada").send().await.refused(403, "service_only");
    server.put("/api/budgets/owner:ada").json(json!({"max_messages": 9})).send().await.ok(200);
    as_user(server.get("/api/budgets/owner:ada"), "ada").send().await.ok(200);
    as_user(server.get("/api/budgets/owner:ada"), "bo").send().await.refused(403, "service_only");
});

on_both!(a_roster_is_also_who_may_read, async |server: Server| {
    create(&server, json!({"id": "c", "participants": ["ada"]})).await;
    create(&server, json!({"id": "open"})).await;
    for what in ["", "/messages", "/capacity", "/messages/stream", "/context"] {
        let path = format!("/api/conversations/c{what}");
        as_user(server.get(&path), "bo").send().await.refused(403, "not_a_participant");
        as_user(server.get(&path), "anon").send().await.refused(403, "not_your_name");
    }
    for what in ["", "/messages", "/capacity", "/context"] {
        as_user(server.get(&format!("/api/conversations/c{what}")), "ada").send().await.ok(200);
        as_user(server.get(&format!("/api/conversations/open{what}")), "bo").send().await.ok(200);
    }
});
