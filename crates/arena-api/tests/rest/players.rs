//! `/api/players`, and joining a channel.

use crate::server::{Server, on_both};
use serde_json::json;

async fn open(server: &Server, channel: &str, max_bots: u32) {
    let body = json!({"name": channel, "kind": "VIP", "max_bots": max_bots});
    server.post("/api/channels").json(body).send().await.ok(201);
}

on_both!(a_player_gets_a_seat_and_what_it_needs_to_enter, async |server: Server| {
    open(&server, "club", 2).await;
    let call = server.post("/api/channels/club/join").json(json!({"name": "Ada"}));
    let answer = call.header("authorization", "Bearer ada").send().await;
    assert_eq!(answer.headers["cache-control"], "no-store", "it holds a secret");
    let seat = answer.ok(201);
    let player = seat["player"].as_str().unwrap();
    assert_eq!((&seat["channel"], &seat["topic"]), (&json!("club"), &json!("world:club")));
    assert_eq!(seat["endpoint"], "ws://arena.test/socket");
    assert_eq!(seat["token"], format!("ada's token for {player}"));
    assert_eq!(seat["expires_at_ms"], 4_102_444_800_000_i64);

    let page = server.get("/api/players?channel=club").send().await.ok(200);
    let listed = &page["items"][0];
    assert_eq!((&listed["id"], &listed["channel"]), (&json!(player), &json!("club")));
    assert_eq!((&listed["user"], &listed["name"]), (&json!("ada"), &json!("Ada")));
    assert_eq!(
        (&listed["state"], &listed["seat_held_until_ms"]),
        (&json!("reserved"), &seat["seat_held_until_ms"])
    );
    let kept_ms = seat["seat_held_until_ms"].as_i64().unwrap() - listed["created_at_ms"].as_i64().unwrap();
    assert!((29_000..=30_000).contains(&kept_ms), "{kept_ms}");
    assert!(server.all("/api/players?channel=main&limit=1", "id").await.is_empty());

    let channel = server.get("/api/channels/club").send().await.ok(200);
    assert_eq!((&channel["bots"], &channel["players"]), (&json!(0), &json!(1)));
    assert_eq!(channel["load_percent"], 50.0);
    assert_eq!(server.get("/api/channels/club/stats").send().await.ok(200)["players"], 1);
    let report = server.get("/api/health").send().await.ok(200);
    assert_eq!(
        (&report["channels"][0]["players"], &report["channels"][0]["load_percent"]),
        (&json!(1), &json!(50.0))
    );

    server.delete(&format!("/api/players/{player}")).send().await.ok(204);
    server.delete(&format!("/api/players/{player}")).send().await.refused(404, "player_not_found");
    assert_eq!(server.get("/api/channels/club").send().await.ok(200)["players"], 0);
});

on_both!(a_channel_without_a_free_seat_refuses_players_too, async |server: Server| {
    open(&server, "club", 1).await;
    let join = || server.post("/api/channels/club/join").send();
    let name = join().await.ok(201)["player"].as_str().map(str::len);
    assert_eq!(name, Some(36));
    let detail = join().await.refused(409, "channel_full");
    assert_eq!(detail, "channel `club` has 0 of 1 seats left, 1 wanted");
    let full = server.all("/api/channels?status=FULL", "name").await;
    assert_eq!(full, ["club"]);
    let put = server.put("/api/channels/club").json(json!({"max_bots": 0})).send().await;
    assert!(put.refused(409, "below_load").contains("1 players"));
    server.post("/api/channels/club/drain").send().await.ok(200);
    join().await.refused(409, "channel_not_accepting");
    server.post("/api/channels/gone/join").send().await.refused(404, "channel_not_found");
});

on_both!(a_seat_is_found_by_kind, async |server: Server| {
    let any = |body| server.post("/api/players/join").json(body).send();
    let seat = any(json!({"kind": "REGIONAL", "region": "eu-west-1"})).await.ok(201);
    assert_eq!(seat["topic"], "world:eu-west-1-regional");
    let listed = server.get("/api/players").send().await.ok(200);
    assert!(listed["items"][0]["name"].as_str().unwrap().starts_with("Guest "));
    any(json!({"kind": "REGIONAL"})).await.refused(422, "region_required");
    any(json!({"kind": "VIP", "name": "a\nb"})).await.refused(422, "invalid_profile");
    any(json!({"kind": "VIP", "seat": 1})).await.refused(422, "invalid_body");
});

on_both!(who_cannot_be_identified_gets_no_seat, async |server: Server| {
    open(&server, "club", 2).await;
    let call = server.post("/api/channels/club/join").header("authorization", "Basic eA==");
    let answer = call.send().await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    assert_eq!(answer.refused(401, "unauthorized"), "send a bearer token");
    assert!(server.all("/api/players?limit=1", "id").await.is_empty());
});

on_both!(a_join_token_is_never_given_again_for_a_key, async |server: Server| {
    open(&server, "club", 5).await;
    let join = |user: &str| {
        let call = server.post("/api/channels/club/join").header("idempotency-key", "k-1");
        call.header("authorization", &format!("Bearer {user}")).send()
    };
    let first = join("ada").await.ok(201);
    let second = join("eve").await;
    assert!(!second.headers.contains_key("idempotency-replayed"));
    assert_ne!(second.ok(201)["token"], first["token"]);
});
