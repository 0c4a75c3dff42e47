//! What is said, what is refused, and what is left.

use super::{call, create, events_of, limited, message, read, say};
use crate::server::{Server, on_both};
use arena_api::{ApiLimits, LogReads, Stage};
use arena_realtime::{Backstage, Saying};
use arena_testing::TestDatabase;
use serde_json::json;

on_both!(a_conversation_is_created_shown_changed_and_deleted, async |server: Server| {
    let body = json!({
        "id": "c", "participants": ["ada", "bo"], "limits": {"max_total_messages": 5}, "owner": "olga",
        "turns": {"policy": "round_robin"}, "metadata": {"topic": "tea"},
    });
    let made = create(&server, body.clone()).await;
    assert_eq!((&made["id"], &made["exhausted"]), (&json!("c"), &json!(null)));
    assert_eq!(made["limits"]["max_total_messages"], 5);
    assert_eq!(made["limits"]["max_total_tokens"], json!(null), "unlimited");
    assert_eq!((&made["turns"]["policy"], &made["owner"]), (&json!("round_robin"), &json!("olga")));
    assert_eq!(server.get("/api/conversations/c").send().await.ok(200), made);
    server.post("/api/conversations").json(body).send().await.refused(409, "conversation_exists");

    let change = json!({"limits": {"max_replies_per_participant": 1}, "turns": {"policy": "free"}});
    let changed = server.put("/api/conversations/c").json(change).send().await.ok(200);
    assert_eq!(changed["limits"]["max_total_messages"], json!(null), "limits are replaced as a whole");
    assert_eq!(changed["limits"]["max_replies_per_participant"], 1);
    assert_eq!(
        (&changed["turns"]["policy"], &changed["metadata"]),
        (&json!("free"), &json!({"topic": "tea"}))
    );

    server.delete("/api/conversations/c").send().await.ok(204);
    server.get("/api/conversations/c").send().await.refused(404, "conversation_not_found");
    server.delete("/api/conversations/c").send().await.refused(404, "conversation_not_found");
    say(&server, "ada").await.refused(404, "conversation_not_found");
    let unnamed = server.post("/api/conversations").send().await.ok(201);
    assert!(unnamed["id"].as_str().unwrap().len() > 20, "not to be guessed");
});

on_both!(conversations_are_listed_by_owner_tree_and_end, async |server: Server| {
    for (id, more) in [
        ("a", json!({"owner": "olga"})),
        ("b", json!({"owner": "olga", "limits": {"max_total_messages": 0}})),
        ("d", json!({"parent": "a"})),
    ] {
        let mut body = more;
        body["id"] = json!(id);
        create(&server, body).await;
    }
    assert_eq!(server.all("/api/conversations?limit=1", "id").await, ["a", "b", "d"]);
    assert_eq!(server.all("/api/conversations?owner=olga", "id").await, ["a", "b"]);
    assert_eq!(server.all("/api/conversations?root=a", "id").await, ["a", "d"]);
    assert_eq!(server.all("/api/conversations?exhausted=true", "id").await, ["b"]);
    assert_eq!(server.all("/api/conversations?exhausted=false&owner=olga", "id").await, ["a"]);
    server.get("/api/conversations?exhausted=maybe").send().await.refused(400, "invalid_query");
});

on_both!(what_is_said_stands_in_the_log_and_what_is_beyond_the_total_does_not, async |server: Server| {
    limited(&server, json!({"max_total_messages": 2})).await;
    let first = say(&server, "ada").await.ok(201);
    assert_eq!((&first["repeated"], &first["exhausted"]), (&json!(false), &json!(null)));
    assert_eq!(first["id"], format!("{}:{}", first["epoch"].as_str().unwrap(), first["offset"]));
    assert_eq!(first["total"]["remaining"]["messages"], 1);
    let second = say(&server, "bo").await.ok(201);
    assert_eq!(second["exhausted"], "total_limit", "the message that reaches the limit is delivered");

    let third = message(&server, json!({"author": "ada", "text": "more", "id": "m-3"})).await;
    assert!(!third.headers.contains_key("retry-after"));
    let told = third.body.clone();
    third.refused(409, "total_limit");
    assert_eq!((&told["scope"], &told["retry_after_ms"]), (&json!("conversation"), &json!(null)));
    assert_eq!((&told["limit"], &told["used"], &told["remaining"]), (&json!(2), &json!(2), &json!(0)));
    assert_eq!((&told["message_id"], &told["retryable"]), (&json!("m-3"), &json!(false)));

    assert_eq!(events_of(&server).await, ["created", "message", "message", "exhausted"]);
    let page = read(&server, "messages?after=1&limit=1").await;
    let line = &page["items"][0];
    assert_eq!(
        (&line["offset"], &line["event"], &page["more"]),
        (&json!(2), &json!("message"), &json!(true))
    );
    assert_eq!((&line["id"], &line["epoch"]), (&first["id"], &page["epoch"]));
    assert_eq!((&line["payload"]["author"], &line["payload"]["text"]), (&json!("ada"), &json!("hi")));
    assert_eq!(page["position"], 2);
    let end = read(&server, "messages?after=4").await;
    assert_eq!((&end["items"], &end["position"], &end["more"]), (&json!([]), &json!(4), &json!(false)));
});

on_both!(
    a_part_of_the_log_is_as_large_as_an_answer_may_be_and_the_parts_are_the_whole,
    async |server: Server| {
        limited(&server, json!({})).await;
        for (count, bytes) in [(60, 1), (20, 16_000), (60, 1)] {
            for _ in 0..count {
                message(&server, json!({"author": "ada", "text": "x".repeat(bytes)})).await.ok(201);
            }
        }
        let (mut after, mut parts) = (0, Vec::new());
        loop {
            let page = read(&server, &format!("messages?limit=1000&after={after}")).await;
            let items = page["items"].as_array().unwrap();
            assert!(page.to_string().len() < 300_000, "{}", page.to_string().len());
            assert_eq!(items[0]["offset"], after + 1, "no line is left out or comes twice");
            assert_eq!(page["position"], items.last().unwrap()["offset"]);
            parts.push(items.len());
            after = page["position"].as_u64().unwrap();
            if page["more"] == false {
                break;
            }
        }
        assert_eq!((after, parts.len()), (141, 2), "{parts:?}");
        assert_eq!(read(&server, "messages?limit=120").await["items"].as_array().unwrap().len(), parts[0]);
        let few = read(&server, "messages?limit=55").await;
        assert_eq!((few["items"].as_array().unwrap().len(), &few["more"]), (55, &json!(true)));
    }
);

#[tokio::test]
async fn so_many_read_logs_at_once_by_any_door_and_one_more_is_turned_away() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    let limits = ApiLimits { log_reads: LogReads::new(0), ..ApiLimits::default() };
    let full = server.limited(limits.clone()).await;
    for what in ["messages", "context?participant=ada"] {
        let answer = full.get(&format!("/api/conversations/c/{what}")).send().await;
        assert_eq!(answer.headers["retry-after"], "1");
        answer.refused(503, "overloaded");
    }
    let stage = Stage::new(server.services(), &limits, Default::default());
    let who = arena_realtime::policy::Identity::anonymous();
    let saying = Saying { conversation: "c", who: &who, event: "messages", json: "{}", id: None };
    assert_eq!(stage.say(saying).await.unwrap_err().refused.code, "overloaded");
    assert_eq!(stage.missed("c", "ada", 0, 10).await.unwrap_err().code, "overloaded");
    full.get("/api/conversations/c/capacity").send().await.ok(200);
}

on_both!(what_is_left_is_told_of_the_conversation_and_of_each, async |server: Server| {
    limited(&server, json!({"max_replies_per_participant": 2, "max_total_messages": 5})).await;
    say(&server, "ada").await.ok(201);
    let capacity = read(&server, "capacity").await;
    assert_eq!((&capacity["conversation"], &capacity["exhausted"]), (&json!("c"), &json!(null)));
    assert_eq!(capacity["total"]["remaining"], json!({"messages": 4, "tokens": null, "cost_micros": null}));
    let ada = &capacity["participants"][0];
    assert_eq!(
        (&ada["participant"], &ada["may_send"], &ada["reason"]),
        (&json!("ada"), &json!(true), &json!(null))
    );
    assert_eq!((&ada["limit"]["messages"], &ada["used"]["messages"]), (&json!(2), &json!(1)));
    say(&server, "ada").await.ok(201);
    let capacity = read(&server, "capacity").await;
    assert_eq!(capacity["total"]["remaining"]["messages"], 3);
    let ada = &capacity["participants"][0];
    assert_eq!(
        (&ada["may_send"], &ada["reason"], &ada["remaining"]["messages"]),
        (&json!(false), &json!("participant_limit"), &json!(0))
    );
    let refused = say(&server, "ada").await;
    assert_eq!(refused.body["scope"], "participant");
    refused.refused(409, "participant_limit");
    say(&server, "bo").await.ok(201);
});

on_both!(without_limits_anything_goes_and_remaining_is_null, async |server: Server| {
    limited(&server, json!({})).await;
    for _ in 0..5 {
        say(&server, "ada").await.ok(201);
    }
    let capacity = read(&server, "capacity").await;
    let unlimited = json!({"messages": null, "tokens": null, "cost_micros": null});
    assert_eq!((&capacity["total"]["remaining"], &capacity["exhausted"]), (&unlimited, &json!(null)));
    assert_eq!(capacity["participants"][0]["remaining"], unlimited);
});

#[tokio::test]
async fn a_budget_that_refills_says_when_to_come_back() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({"max_replies_per_participant": 1, "refill_every_ms": 3_600_000})).await;
    say(&server, "ada").await.ok(201);
    let refused = say(&server, "ada").await;
    let after: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    let ms = refused.body["retry_after_ms"].as_u64().unwrap();
    assert_eq!(after, ms.div_ceil(1_000), "whole seconds, rounded up");
    assert!((3_500..=3_600).contains(&after), "{after}");
    assert_eq!(refused.body["retryable"], true);
    refused.refused(429, "participant_limit");
}

#[tokio::test]
async fn a_refusal_that_passes_is_not_kept_for_its_key() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({"max_total_messages": 1, "refill_every_ms": 3_600_000})).await;
    say(&server, "ada").await.ok(201);
    let keyed = || {
        let call = call(&server, "messages").json(json!({"author": "ada", "text": "again"}));
        call.header("idempotency-key", "k-1").send()
    };
    keyed().await.refused(429, "total_limit");
    call(&server, "top-up").json(json!({"total": {"messages": 1}})).send().await.ok(200);
    let answer = keyed().await;
    assert!(!answer.headers.contains_key("idempotency-replayed"));
    answer.ok(201);
}

on_both!(a_message_under_the_same_id_is_said_once, async |server: Server| {
    limited(&server, json!({"max_total_messages": 2})).await;
    let body = json!({"author": "ada", "text": "hi", "id": "m-1"});
    let first = message(&server, body.clone()).await.ok(201);
    let again = message(&server, body.clone()).await.ok(200);
    assert_eq!((&again["offset"], &again["repeated"]), (&first["offset"], &json!(true)));
    message(&server, json!({"author": "ada", "text": "ho", "id": "m-1"})).await.refused(409, "id_conflict");
    assert_eq!(read(&server, "capacity").await["total"]["used"]["messages"], 1, "it is counted once");
    say(&server, "bo").await.ok(201);
    assert_eq!(message(&server, body).await.ok(200)["repeated"], true, "an end does not change what was");
});

on_both!(a_conversation_that_tells_nobody_drops_without_a_word, async |server: Server| {
    let body = json!({"id": "c", "limits": {"max_replies_per_participant": 1}, "on_refusal": "silent_drop"});
    create(&server, body).await;
    say(&server, "ada").await.ok(201);
    let dropped = say(&server, "ada").await.ok(202);
    assert_eq!(dropped["dropped"]["code"], "participant_limit");
    assert_eq!(events_of(&server).await.iter().filter(|event| *event == "message").count(), 1);
});

on_both!(an_agent_is_told_what_it_needs_before_it_speaks, async |server: Server| {
    let body = json!({
        "id": "c", "participants": ["ada", "bo"], "limits": {"max_replies_per_participant": 3},
        "turns": {"policy": "round_robin"},
    });
    create(&server, body).await;
    say(&server, "ada").await.ok(201);
    say(&server, "bo").await.ok(201);
    call(&server, "system").json(json!({"text": "be brief"})).send().await.ok(201);
    let context = read(&server, "context?participant=bo&last=2").await;
    assert_eq!((&context["your_turn"], &context["turn"]), (&json!(false), &json!("ada")));
    assert_eq!(
        (&context["share"]["may_send"], &context["share"]["reason"]),
        (&json!(false), &json!("not_your_turn"))
    );
    assert_eq!(context["share"]["remaining"]["messages"], 2);
    let last: Vec<_> =
        context["last"].as_array().unwrap().iter().map(|line| &line["payload"]["text"]).collect();
    assert_eq!(last, ["hi", "be brief"]);
    assert_eq!(context["participants"], json!(["ada", "bo"]));
    say(&server, "bo").await.refused(409, "not_your_turn");
    let read = |query: &str| server.get(&format!("/api/conversations/c/context{query}")).send();
    assert_eq!(read("?participant=ada&last=0").await.ok(200)["last"], json!([]));
    for bad in ["", "?participant=", "?participant=ada&last=101", "?participant=ada&last=-1"] {
        read(bad).await.refused(400, "invalid_query");
    }
});
