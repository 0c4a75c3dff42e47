//! What else is asked of a conversation.

use super::{call, create, events_of, limited, message, read, say};
use crate::server::{Server, on_both};
use serde_json::json;

on_both!(what_is_reserved_is_there_for_the_message_and_comes_back_when_released, async |server: Server| {
    limited(&server, json!({"max_total_messages": 2, "max_total_tokens": 100})).await;
    let reserve = |id: &str| {
        let body = json!({"participant": "ada", "id": id, "tokens": 60, "lease_ms": 60_000});
        call(&server, "reservations").json(body).send()
    };
    let held = reserve("r-1").await.ok(201);
    assert_eq!(held["reservation"]["id"], "r-1");
    assert!(held["reservation"]["until_ms"].as_i64().unwrap() > 1_700_000_000_000);
    assert_eq!(held["total"]["held"]["tokens"], 60);
    assert_eq!(reserve("r-1").await.ok(200)["repeated"], true);
    reserve("r-2").await.refused(429, "token_limit");

    let release = |query: &str| server.delete(&format!("/api/conversations/c/reservations/{query}")).send();
    release("r-1").await.refused(400, "invalid_query");
    release("r-1?participant=bo").await.refused(404, "reservation_not_found");
    assert_eq!(release("r-1?participant=ada").await.ok(200)["total"]["held"]["tokens"], 0);
    release("r-1?participant=ada").await.refused(404, "reservation_not_found");

    reserve("r-2").await.ok(201);
    let paid = json!({"author": "ada", "text": "long", "tokens": 70, "reservation": "r-2"});
    let said = message(&server, paid).await.ok(201);
    assert_eq!((&said["total"]["used"]["tokens"], &said["total"]["held"]["tokens"]), (&json!(70), &json!(0)));
    let made_up = call(&server, "reservations").json(json!({"participant": "bo"})).send().await.ok(201);
    assert_eq!(made_up["reservation"]["id"].as_str().map(str::len), Some(36));
});

on_both!(what_is_exhausted_goes_on_when_it_is_topped_up, async |server: Server| {
    limited(&server, json!({"max_total_messages": 1})).await;
    say(&server, "ada").await.ok(201);
    say(&server, "ada").await.refused(409, "total_limit");
    call(&server, "reopen").send().await.refused(409, "wrong_state");
    call(&server, "top-up").json(json!({})).send().await.refused(422, "invalid_conversation");
    let topped = call(&server, "top-up").json(json!({"total": {"messages": 1}})).send().await.ok(200);
    assert_eq!((&topped["exhausted"], &topped["total"]["remaining"]["messages"]), (&json!(null), &json!(1)));
    say(&server, "bo").await.ok(201);
    let expected = ["created", "message", "exhausted", "topped_up", "reopened", "message", "exhausted"];
    assert_eq!(events_of(&server).await, expected);
    let activity = server.get("/api/activity?limit=10").send().await.ok(200);
    let actions: Vec<_> = activity["items"].as_array().unwrap().iter().map(|item| &item["action"]).collect();
    assert!(actions.contains(&&json!("conversation.topped_up")), "it is audited: {actions:?}");
});

on_both!(what_is_closed_is_silent_until_it_is_opened_again, async |server: Server| {
    limited(&server, json!({})).await;
    let closed = call(&server, "close").send().await.ok(200);
    assert_eq!(closed["exhausted"], "closed_by_moderator");
    say(&server, "ada").await.refused(409, "closed_by_moderator");
    assert_eq!(server.get("/api/conversations/c").send().await.ok(200)["exhausted"], "closed_by_moderator");
    call(&server, "reopen").json(json!({})).send().await.ok(200);
    say(&server, "ada").await.ok(201);
});

on_both!(a_roster_grows_and_shrinks_and_the_moderator_gives_the_word, async |server: Server| {
    let body = json!({"id": "c", "participants": ["ada"], "turns": {"policy": "moderator"}});
    create(&server, body).await;
    say(&server, "bo").await.refused(403, "not_a_participant");
    call(&server, "participants").json(json!({"participant": "bo/2"})).send().await.ok(200);
    say(&server, "bo/2").await.refused(409, "not_your_turn");
    let given = call(&server, "turn").json(json!({"participant": "bo/2"})).send().await.ok(200);
    assert_eq!(given["turn"], "bo/2");
    say(&server, "bo/2").await.ok(201);
    server.delete("/api/conversations/c/participants/bo%2F2").send().await.ok(200);
    say(&server, "bo/2").await.refused(403, "not_a_participant");
    let who = read(&server, "capacity").await;
    assert!(who["participants"].as_array().unwrap().iter().any(|share| share["participant"] == "ada"));
    call(&server, "turn").json(json!({"participant": "cy"})).send().await.refused(403, "not_a_participant");
});
