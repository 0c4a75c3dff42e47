//! What is refused before any service is asked, and how keys and limits behave.

use crate::server::{Server, on_both};
use arena_api::ApiLimits;
use serde_json::json;
use std::time::Duration;

on_both!(what_a_client_gets_wrong_is_told_to_it, async |server: Server| {
    let open = |body: &str| server.post("/api/channels").text("application/json", body.to_owned()).send();
    let detail = open(r#"{"kind": "VIP", "colour": "red"}"#).await.refused(422, "invalid_body");
    assert!(detail.contains("unknown field `colour`"), "{detail}");
    let detail = open(r#"{"kind": "VIP", "max_bots": "many"}"#).await.refused(422, "invalid_body");
    assert!(detail.starts_with("max_bots:"), "{detail}");
    let detail = open(r#"{"kind": "HUGE"}"#).await.refused(422, "invalid_body");
    assert!(detail.contains("TOURNAMENT"), "{detail}");
    assert!(open("{}").await.refused(422, "invalid_body").contains("`kind`"));
    assert!(open("{").await.refused(400, "malformed_json").contains("line 1 column 1"));
    for name in ["init", "rebalance", "reset"] {
        let detail =
            open(&json!({"kind": "MAIN", "name": name}).to_string()).await.refused(422, "invalid_body");
        assert!(detail.contains("reserved"), "{detail}");
    }
    let big = json!({"kind": "MAIN", "metadata": {"x": "y".repeat(20_000)}}).to_string();
    assert!(open(&big).await.refused(422, "invalid_body").contains("metadata"));
    open(&"x".repeat(1024 * 1024 + 1)).await.refused(413, "body_too_large");
    server.post("/api/channels").text("text/csv", "x").send().await.refused(415, "unsupported_media_type");

    server.get("/api/channels/Main").send().await.refused(400, "invalid_path");
    server.get("/api/channels/none").send().await.refused(404, "channel_not_found");
    server.get("/api/bots/7").send().await.refused(400, "invalid_path");
    server.get(&format!("/api/bots/{}", uuid::Uuid::nil())).send().await.refused(404, "bot_not_found");
    server.get("/api/worlds/none").send().await.refused(404, "world_not_found");
    for query in ["?limit=0", "?limit=1001", "?limit=x", "?kind=HUGE", "?colour=red", "?limit=1&limit=2"] {
        server.get(&format!("/api/channels{query}")).send().await.refused(400, "invalid_query");
    }
    server.get("/api/channels/main?full=1").send().await.refused(400, "invalid_query");
    server.get("/api/activity?cursor=x").send().await.refused(400, "invalid_cursor");
    server.get("/api/nothing").send().await.refused(404, "no_such_route");
    let answer = server.delete("/api/channels").send().await;
    assert_eq!(answer.headers["allow"], "GET,HEAD,POST");
    answer.refused(405, "method_not_allowed");
});

on_both!(a_key_runs_a_request_once, async |server: Server| {
    let open = |name: &str| {
        let call = server.post("/api/channels").json(json!({"name": name, "kind": "TEST"}));
        call.header("idempotency-key", "k-1").send()
    };
    let first = open("one").await;
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = open("one").await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["content-type"], "application/json");
    assert_ne!(again.headers["x-request-id"], first.headers["x-request-id"]);
    assert_eq!(again.ok(201), first.ok(201));
    open("two").await.refused(422, "idempotency_key_reused");
    let bad = server.post("/api/channels/init").header("idempotency-key", "two words").send().await;
    bad.refused(400, "invalid_header");
});

on_both!(a_refusal_is_replayed_with_the_id_of_the_new_request, async |server: Server| {
    let assign = || {
        let body = json!({"bot_id": uuid::Uuid::nil()});
        server.post("/api/channels/none/assign-bot").json(body).header("idempotency-key", "k-2").send()
    };
    let detail = assign().await.refused(404, "bot_not_found");
    let again = assign().await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.refused(404, "bot_not_found"), detail);
});

on_both!(beyond_the_limit_requests_are_turned_away_but_liveness_answers, async |server: Server| {
    let full = server.limited(ApiLimits { max_in_flight: 0, max_imports: 0, ..ApiLimits::default() }).await;
    for call in [full.get("/api/channels"), full.get("/readyz"), full.post("/api/bots/import")] {
        let answer = call.send().await;
        assert_eq!(answer.headers["retry-after"], "1");
        assert_eq!(answer.body["retryable"], true);
        answer.refused(503, "overloaded");
    }
    full.get("/healthz").send().await.ok(200);
});

on_both!(a_body_that_never_ends_is_answered_and_frees_its_slot, async |server: Server| {
    let limits =
        ApiLimits { max_in_flight: 1, request_timeout: Duration::from_millis(50), ..ApiLimits::default() };
    let narrow = server.limited(limits).await;
    let head = "POST /api/channels/init HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
    let answer = narrow.raw(head).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"code\":\"timeout\""), "{answer}");
    narrow.get("/api/worlds").send().await.ok(200);
});
