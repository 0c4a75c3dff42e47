//! `/api/matchmaking`.

use crate::client::{Answer, Call};
use crate::server::{Server, on_both};
use arena_api::ApiLimits;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

const API: &str = "/api/matchmaking";

/// A queue of pairs for whom nobody else comes, and which are made as soon as two wait.
async fn queue(server: &Server, rules: Value) {
    let answer = server.put(&format!("{API}/queues/q")).json(rules).send().await.ok(200);
    assert_eq!(answer["name"], "q");
}

fn ticket_of(server: &Server, user: &str, more: &Value) -> Call {
    let mut body = json!({"queue": "q", "user": user});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post(&format!("{API}/tickets")).json(body)
}

async fn enqueue(server: &Server, user: &str) -> Value {
    ticket_of(server, user, &json!({})).send().await.ok(201)
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().unwrap()
}

fn look(server: &Server, ticket: &Value, query: &str) -> Call {
    server.get(&format!("{API}/tickets/{}{query}", id(ticket)))
}

/// Waits until the ticket is in this state.
async fn until(server: &Server, ticket: &Value, state: &str) -> Value {
    let mut now = ticket.clone();
    let deadline = Instant::now() + Duration::from_secs(30);
    while now["state"] != state {
        assert!(Instant::now() < deadline, "it does not become {state}: {now}");
        now = look(server, &now, &format!("?wait_ms=1000&version={}", now["version"])).send().await.ok(200);
    }
    now
}

fn act(server: &Server, met: &Value, verb: &str, body: Value) -> Call {
    server.post(&format!("{API}/matches/{}/{verb}", id(met))).json(body)
}

fn by(call: Call, user: &str) -> Call {
    call.header("authorization", &format!("Bearer {user}"))
}

/// Two who are proposed to each other.
async fn pair(server: &Server) -> (Value, Value) {
    queue(server, json!({"confirm_ms": 60_000})).await;
    let (ann, bob) = (enqueue(server, "ann").await, enqueue(server, "bob").await);
    (until(server, &ann, "proposed").await, until(server, &bob, "proposed").await)
}

on_both!(a_queue_is_made_changed_shown_and_deleted, async |server: Server| {
    // The one that is there from the start is made in a moment, unless others are there before it.
    server
        .until("the first queue", async || {
            let all = server.get(&format!("{API}/queues")).send().await.ok(200);
            !all["items"].as_array().unwrap().is_empty()
        })
        .await;
    queue(
        &server,
        json!({"bots_after_ms": 3_000, "outcome": {"talk": {"limits": {"max_total_messages": 9}}}}),
    )
    .await;
    let shown = server.get(&format!("{API}/queues/q")).send().await.ok(200);
    assert_eq!((&shown["rules"]["bots_after_ms"], &shown["rules"]["teams"]), (&json!(3_000), &json!(2)));
    assert_eq!(shown["rules"]["outcome"]["talk"]["limits"]["max_total_messages"], 9);
    assert_eq!(shown["waiting"], json!({"humans": 0, "bots": 0, "oldest_wait_ms": null}));
    let to_users = by(server.get(&format!("{API}/queues/q")), "ann").send().await.ok(200);
    assert_eq!(to_users.get("rules"), None, "its rules are nobody else's");
    queue(&server, json!({})).await;
    let again = server.get(&format!("{API}/queues/q")).send().await.ok(200);
    assert!(again["version"].as_i64() > shown["version"].as_i64());
    let all = server.get(&format!("{API}/queues")).send().await.ok(200);
    let names: Vec<_> = all["items"].as_array().unwrap().iter().map(|queue| &queue["name"]).collect();
    assert_eq!(names, ["q", "strangers"]);
    let waits = enqueue(&server, "ann").await;
    let shown = server.get(&format!("{API}/queues/q")).send().await.ok(200);
    assert_eq!(shown["waiting"]["humans"], 1);
    server.delete(&format!("{API}/queues/q")).send().await.ok(204);
    let ended = look(&server, &waits, "").send().await.ok(200);
    assert_eq!((&ended["state"], &ended["ended"]), (&json!("over"), &json!("queue_gone")));
    server.delete(&format!("{API}/queues/q")).send().await.refused(404, "queue_not_found");
});

on_both!(what_is_wrong_with_a_queue_is_said, async |server: Server| {
    let put = |rules: Value| server.put(&format!("{API}/queues/q")).json(rules).send();
    assert!(put(json!({"team": 2})).await.refused(422, "invalid_body").contains("unknown field `team`"));
    assert!(put(json!({"teams": "two"})).await.refused(422, "invalid_body").starts_with("teams:"));
    put(json!({"teams": 1})).await.refused(422, "invalid_rules");
    put(json!({"confirm_ms": 0})).await.refused(422, "invalid_rules");
    server.put(&format!("{API}/queues/No")).json(json!({})).send().await.refused(400, "invalid_path");
    by(server.put(&format!("{API}/queues/q")), "ann")
        .json(json!({}))
        .send()
        .await
        .refused(403, "service_only");
    by(server.delete(&format!("{API}/queues/strangers")), "ann").send().await.refused(403, "service_only");
    server.get(&format!("{API}/queues/none")).send().await.refused(404, "queue_not_found");
});

on_both!(strangers_meet_confirm_talk_and_skip, async |server: Server| {
    let (ann, bob) = pair(&server).await;
    let met = &ann["match"];
    assert_eq!((&met["state"], id(met)), (&json!("proposed"), id(&bob["match"])));
    let members = by(look(&server, &ann, ""), "ann").send().await.ok(200)["match"]["members"].clone();
    assert!(members.as_array().unwrap().iter().all(|member| member.get("ticket").is_none()), "{members}");
    let members = look(&server, &ann, "").send().await.ok(200)["match"]["members"].clone();
    assert!(members.as_array().unwrap().iter().all(|member| member["ticket"].is_string()), "{members}");

    let early = act(&server, met, "leave", json!({"user": "ann"})).send().await;
    early.refused(409, "match_not_standing");
    by(act(&server, met, "confirm", json!({})), "ann").send().await.ok(200);
    let stands = act(&server, met, "confirm", json!({"user": "bob"})).send().await.ok(200);
    assert_eq!(stands["state"], "standing");
    act(&server, met, "decline", json!({"user": "bob"})).send().await.refused(409, "match_standing");
    let matched = until(&server, &bob, "matched").await;
    assert!(matched["waited_ms"].is_u64(), "{matched}");
    let talk = format!("/api/conversations/{}/messages", met["conversation"].as_str().unwrap());
    by(server.post(&talk), "ann").json(json!({"text": "hi"})).send().await.ok(201);
    by(server.post(&talk), "eve").json(json!({"text": "hi"})).send().await.refused(403, "not_a_participant");

    let over = by(act(&server, met, "skip", json!({})), "ann").send().await.ok(200);
    assert_eq!(
        (&over["state"], &over["ended"], &over["ended_by"]),
        (&json!("over"), &json!("skipped"), &json!("ann"))
    );
    let again = by(act(&server, met, "skip", json!({})), "ann").send().await.ok(200);
    assert_eq!(again["changed_at_ms"], over["changed_at_ms"], "once");
    let waits = until(&server, &ann, "waiting").await;
    assert_eq!(id(&waits), id(&ann), "on the same ticket");
    let gone = until(&server, &bob, "over").await;
    assert_eq!(gone["ended"], "played");
    act(&server, met, "confirm", json!({"user": "bob"})).send().await.refused(409, "match_over");
    let tickets = server.get(&format!("{API}/tickets?queue=q&user=ann")).send().await.ok(200);
    assert_eq!(tickets["items"].as_array().unwrap().len(), 1, "{tickets}");
});

on_both!(a_ticket_is_made_once_and_a_user_is_on_one, async |server: Server| {
    queue(&server, json!({})).await;
    let own = json!({"id": Uuid::now_v7().to_string(), "interests": ["tea"]});
    let first = ticket_of(&server, "ann", &own).send().await.ok(201);
    assert_eq!(first["id"], own["id"]);
    assert_eq!(id(&ticket_of(&server, "ann", &own).send().await.ok(201)), id(&first));
    let other = json!({"id": own["id"], "interests": ["go"]});
    ticket_of(&server, "ann", &other).send().await.refused(409, "ticket_exists");
    let detail = ticket_of(&server, "ann", &json!({})).send().await.refused(409, "on_another_ticket");
    assert!(detail.contains(id(&first)), "{detail}");
    assert_eq!(
        server.delete(&format!("{API}/tickets/{}", id(&first))).send().await.ok(200)["ended"],
        "cancelled"
    );
    enqueue(&server, "ann").await;
});

on_both!(what_is_wrong_with_a_ticket_is_said, async |server: Server| {
    queue(&server, json!({})).await;
    let with = |more: Value| ticket_of(&server, "ann", &more).send();
    assert!(with(json!({"colour": 1})).await.refused(422, "invalid_body").contains("unknown field `colour`"));
    assert!(with(json!({"rating": "high"})).await.refused(422, "invalid_body").starts_with("rating:"));
    with(json!({"id": "7"})).await.refused(422, "invalid_body");
    with(json!({"kind": "cat"})).await.refused(422, "invalid_body");
    with(json!({"queue": "none"})).await.refused(404, "queue_not_found");
    with(json!({"name": ""})).await.refused(422, "invalid_ticket");
    with(json!({"party": ["bob"]})).await.refused(422, "invalid_ticket");
    let detail = server.post(&format!("{API}/tickets")).json(json!({"queue": "q"})).send().await;
    assert!(detail.refused(422, "invalid_body").contains("`user`"));
    server
        .post(&format!("{API}/tickets"))
        .text("application/json", "{")
        .send()
        .await
        .refused(400, "malformed_json");
    let nobody = Uuid::nil();
    server.get(&format!("{API}/tickets/{nobody}")).send().await.refused(404, "ticket_not_found");
    server.get(&format!("{API}/tickets/7")).send().await.refused(400, "invalid_path");
    server.delete(&format!("{API}/tickets/{nobody}")).send().await.refused(404, "ticket_not_found");
    for query in ["?wait_ms=30001", "?wait_ms=x", "?version=x", "?wait=1"] {
        server.get(&format!("{API}/tickets/{nobody}{query}")).send().await.refused(400, "invalid_query");
    }
    for query in ["?state=asleep", "?kind=cat", "?queue=No", "?limit=0"] {
        server.get(&format!("{API}/tickets{query}")).send().await.refused(400, "invalid_query");
    }
    server
        .post(&format!("{API}/matches/{nobody}/confirm"))
        .json(json!({"user": "ann"}))
        .send()
        .await
        .refused(404, "match_not_found");
    assert_eq!(server.get(&format!("{API}/tournaments/{nobody}")).send().await.status, 404);
});

on_both!(a_token_acts_for_its_user_and_nobody_else, async |server: Server| {
    let (ann, _) = pair(&server).await;
    let met = &ann["match"];
    let as_eve = |call: Call| by(call, "eve");
    as_eve(look(&server, &ann, "")).send().await.refused(403, "not_your_ticket");
    let path = format!("{API}/tickets/{}", id(&ann));
    as_eve(server.post(&format!("{path}/heartbeat"))).send().await.refused(403, "not_your_ticket");
    as_eve(server.delete(&path)).send().await.refused(403, "not_your_ticket");
    as_eve(server.get(&format!("{API}/matches/{}", id(met)))).send().await.refused(403, "not_in_match");
    for verb in ["confirm", "decline", "skip", "leave"] {
        as_eve(act(&server, met, verb, json!({}))).send().await.refused(403, "not_in_match");
        as_eve(act(&server, met, verb, json!({"user": "ann"}))).send().await.refused(403, "not_your_name");
        as_eve(act(&server, met, verb, json!({"who": "ann"}))).send().await.refused(422, "invalid_body");
    }
    as_eve(ticket_of(&server, "ann", &json!({}))).send().await.refused(403, "not_your_name");
    as_eve(ticket_of(&server, "eve", &json!({"party": ["ann"]}))).send().await.refused(403, "service_only");
    as_eve(act(&server, met, "close", json!({}))).send().await.refused(403, "service_only");
    for list in ["matches", "reports", "tournaments"] {
        as_eve(server.get(&format!("{API}/{list}"))).send().await.refused(403, "service_only");
    }
    as_eve(server.get(&format!("{API}/tickets?user=ann"))).send().await.refused(403, "not_your_name");
    let own = by(server.get(&format!("{API}/tickets")), "ann").send().await.ok(200);
    assert_eq!(own["items"].as_array().unwrap().len(), 1, "only her own: {own}");
    by(ticket_of(&server, "eve", &json!({})), "anon").send().await.refused(403, "not_your_name");
    by(act(&server, met, "confirm", json!({})), "ann").send().await.ok(200);
});

on_both!(news_of_a_ticket_are_waited_for_and_no_longer_than_a_request_may_take, async |server: Server| {
    queue(&server, json!({"confirm_ms": 60_000})).await;
    let ann = enqueue(&server, "ann").await;
    let known = format!("?wait_ms=30000&version={}", ann["version"]);
    let (news, _) = tokio::join!(look(&server, &ann, &known).send(), enqueue(&server, "bob"));
    assert_eq!(news.ok(200)["state"], "proposed");

    let hasty = ApiLimits { request_timeout: Duration::from_millis(600), ..ApiLimits::default() };
    let hasty = server.limited(hasty).await;
    let cy = enqueue(&hasty, "cy").await;
    let same = look(&hasty, &cy, "?wait_ms=30000").send().await.ok(200);
    assert_eq!(same["version"], cy["version"], "it is answered before it times out");

    let few = server.limited(ApiLimits { max_polls: 1, max_in_flight: 64, ..ApiLimits::default() }).await;
    let first = look(&few, &cy, "?wait_ms=2000").send();
    let second = async {
        let mut answer: Answer = look(&few, &cy, "").send().await;
        let deadline = Instant::now() + Duration::from_secs(2);
        while answer.status == 200 && Instant::now() < deadline {
            answer = look(&few, &cy, "").send().await;
        }
        assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u32>().is_ok());
        answer.refused(503, "overloaded");
        server.get(&format!("{API}/queues")).send().await.ok(200);
    };
    tokio::join!(first, second).0.ok(200);
});

on_both!(whoever_is_blocked_is_not_met_again_and_reports_reach_operators, async |server: Server| {
    let (ann, bob) = pair(&server).await;
    let met = &ann["match"];
    for user in ["ann", "bob"] {
        act(&server, met, "confirm", json!({"user": user})).send().await.ok(200);
    }
    let report = |body: Value| by(act(&server, met, "report", body), "ann").send();
    let told = report(json!({"reason": "spam", "detail": "links"})).await.ok(201);
    assert_eq!(
        (&told["reporter"], &told["reported"], &told["match"]),
        (&json!("ann"), &json!("bob"), &met["id"])
    );
    report(json!({"reason": ""})).await.refused(422, "invalid_report");
    report(json!({})).await.refused(422, "invalid_body");
    let reports = server.get(&format!("{API}/reports")).send().await.ok(200);
    assert_eq!(reports["items"][0], told);

    let blocks = || server.put(&format!("{API}/blocks"));
    by(blocks(), "ann").json(json!({"blocked": "bob"})).send().await.ok(204);
    assert_eq!(until(&server, &bob, "over").await["match"]["ended"], "blocked");
    let listed = by(server.get(&format!("{API}/blocks")), "ann").send().await.ok(200);
    assert_eq!(listed["items"], json!([{"user": "ann", "blocked": "bob"}]));
    by(blocks(), "ann").json(json!({"blocked": "abe"})).send().await.ok(204);
    let page = by(server.get(&format!("{API}/blocks?limit=1")), "ann").send().await.ok(200);
    assert_eq!(page["items"], json!([{"user": "ann", "blocked": "abe"}]));
    let rest = format!("{API}/blocks?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = by(server.get(&rest), "ann").send().await.ok(200);
    assert_eq!((&rest["items"], &rest["next_cursor"]), (&listed["items"], &Value::Null));
    let unblock = server.delete(&format!("{API}/blocks")).json(json!({"user": "ann", "blocked": "abe"}));
    unblock.send().await.ok(204);
    server.get(&format!("{API}/blocks")).send().await.refused(400, "invalid_query");
    by(blocks(), "eve")
        .json(json!({"user": "ann", "blocked": "bob"}))
        .send()
        .await
        .refused(403, "not_your_name");
    let unblock = server.delete(&format!("{API}/blocks")).json(json!({"user": "ann", "blocked": "bob"}));
    unblock.send().await.ok(204);
    let listed = server.get(&format!("{API}/blocks?user=ann")).send().await.ok(200);
    assert_eq!(listed["items"], json!([]));
});

on_both!(an_operator_ends_a_match_and_sees_what_was_done, async |server: Server| {
    let (ann, _) = pair(&server).await;
    let closed = act(&server, &ann["match"], "close", json!({})).send().await.ok(200);
    assert_eq!((&closed["state"], &closed["ended"]), (&json!("over"), &json!("closed")));
    let list = server.get(&format!("{API}/matches?queue=q&state=over")).send().await.ok(200);
    assert_eq!(id(&list["items"][0]), id(&closed));
    let stats = server.get(&format!("{API}/stats")).send().await.ok(200);
    assert!(stats["tickets"].as_u64() >= Some(2) && stats["proposed"].as_u64() >= Some(1), "{stats}");
});
