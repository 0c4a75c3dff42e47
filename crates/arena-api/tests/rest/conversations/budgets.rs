//! Budgets that several conversations share, and the numbers of all.

use super::{create, message, say};
use crate::server::{Server, on_both};
use serde_json::json;

on_both!(an_owners_conversations_share_a_budget, async |server: Server| {
    server.get("/api/budgets/owner:olga").send().await.refused(404, "budget_not_found");
    let set = json!({"max_messages": 2, "max_cost_micros": 500, "refill_every_ms": 3_600_000});
    let budget = server.put("/api/budgets/owner:olga").json(set).send().await.ok(200);
    assert_eq!((&budget["id"], &budget["max_messages"]), (&json!("owner:olga"), &json!(2)));
    assert_eq!((&budget["max_tokens"], &budget["refill_every_ms"]), (&json!(null), &json!(3_600_000)));
    assert!(budget["refills_in_ms"].as_u64().unwrap() <= 3_600_000);
    create(&server, json!({"id": "c", "owner": "olga"})).await;
    create(&server, json!({"id": "d", "owner": "olga"})).await;
    say(&server, "ada").await.ok(201);
    message(&server, json!({"author": "ada", "text": "dear", "cost_micros": 501}))
        .await
        .refused(409, "cost_limit");
    let other = server.post("/api/conversations/d/messages").json(json!({"author": "bo", "text": "x"}));
    other.send().await.ok(201);
    let refused = say(&server, "ada").await;
    assert_eq!(refused.body["scope"], "owner");
    refused.refused(429, "total_limit");
    let used = server.get("/api/budgets/owner:olga").send().await.ok(200);
    assert_eq!((&used["used"]["messages"], &used["remaining"]["messages"]), (&json!(2), &json!(0)));
    let raised = server.put("/api/budgets/owner:olga").json(json!({"max_messages": 3})).send().await.ok(200);
    assert_eq!((&raised["used"]["messages"], &raised["refills_in_ms"]), (&json!(2), &json!(null)));
    say(&server, "ada").await.ok(201);
    say(&server, "ada").await.refused(409, "total_limit");
});

on_both!(a_tree_shares_a_budget, async |server: Server| {
    create(&server, json!({"id": "c", "tree_limits": {"max_messages": 1}})).await;
    create(&server, json!({"id": "d", "parent": "c"})).await;
    let said = server.post("/api/conversations/d/messages").json(json!({"author": "bo", "text": "x"}));
    said.send().await.ok(201);
    let refused = say(&server, "ada").await;
    assert_eq!(refused.body["scope"], "tree");
    refused.refused(409, "total_limit");
    assert_eq!(server.get("/api/budgets/tree:c").send().await.ok(200)["used"]["messages"], 1);
    for bad in ["olga", "owner:", "world:x", "tree:a%2Fb"] {
        server.get(&format!("/api/budgets/{bad}")).send().await.refused(400, "invalid_path");
    }
});

on_both!(what_was_said_and_refused_is_counted, async |server: Server| {
    create(&server, json!({"id": "c", "limits": {"max_total_messages": 1}})).await;
    say(&server, "ada").await.ok(201);
    say(&server, "ada").await.refused(409, "total_limit");
    let stats = server.get("/api/conversations/stats").send().await.ok(200);
    assert_eq!((&stats["messages"], &stats["dropped"]["total_limit"]), (&json!(1), &json!(1)));
    assert_eq!(stats["exhausted"]["total_limit"], 1);
});
