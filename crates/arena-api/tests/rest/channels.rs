//! `/api/channels`.

use crate::server::{Server, on_both};
use serde_json::json;

on_both!(channels_are_opened_shown_configured_and_deleted, async |server: Server| {
    let opened =
        server.post("/api/channels").json(json!({"name": "arena", "kind": "VIP"})).send().await.ok(201);
    assert_eq!(opened["group"], "arena");
    assert_eq!(
        (&opened["kind"], &opened["status"], &opened["max_bots"]),
        (&json!("VIP"), &json!("ACTIVE"), &json!(20))
    );
    assert_eq!(
        (&opened["shard"], &opened["bots"], &opened["load_percent"]),
        (&json!(1), &json!(0), &json!(0.0))
    );
    assert_eq!(server.get("/api/channels/arena").send().await.ok(200), opened);

    let settings = json!({"max_bots": 7, "metadata": {"map": "town"}, "status": "MAINTENANCE"});
    let put = server.put("/api/channels/arena").json(settings).send().await.ok(200);
    assert_eq!(
        (&put["max_bots"], &put["metadata"], &put["status"]),
        (&json!(7), &json!({"map": "town"}), &json!("MAINTENANCE"))
    );
    let put = server.put("/api/channels/arena").json(json!({"max_bots": 8})).send().await.ok(200);
    assert_eq!(
        (&put["max_bots"], &put["metadata"], &put["status"]),
        (&json!(8), &json!({"map": "town"}), &json!("MAINTENANCE"))
    );
    assert_eq!(server.post("/api/channels/arena/activate").send().await.ok(200)["status"], "ACTIVE");

    let second = server.post("/api/channels").json(json!({"kind": "VIP"})).send().await.ok(201);
    assert_eq!(second["name"], "vip");
    server
        .post("/api/channels")
        .json(json!({"name": "arena", "kind": "VIP"}))
        .send()
        .await
        .refused(409, "channel_exists");
    server
        .post("/api/channels")
        .json(json!({"name": "r", "kind": "REGIONAL"}))
        .send()
        .await
        .refused(422, "region_required");
    assert_eq!(server.delete("/api/channels/arena").send().await.ok(200), json!({"moved": 0, "opened": []}));
    server.get("/api/channels/arena").send().await.refused(404, "channel_not_found");
});

on_both!(init_opens_what_is_missing_once, async |server: Server| {
    let first = server.post("/api/channels/init").send().await.ok(200);
    let names = |body: &serde_json::Value| -> Vec<String> {
        body["channels"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["main", "vip", "test"]);
    assert_eq!(first["opened"], json!(["main", "vip", "test"]));
    let again = server.post("/api/channels/init").json(json!({})).send().await.ok(200);
    assert_eq!((names(&again), &again["opened"]), (names(&first), &json!([])));
});

on_both!(lists_are_filtered_and_paged_to_the_end, async |server: Server| {
    for number in 1..=7 {
        let kind = if number % 2 == 0 { "TEST" } else { "VIP" };
        let new = json!({"name": format!("c{number}"), "kind": kind});
        server.post("/api/channels").json(new).send().await.ok(201);
    }
    let names = server.all("/api/channels?limit=3", "name").await;
    assert_eq!(names, ["c1", "c2", "c3", "c4", "c5", "c6", "c7"]);
    assert_eq!(server.all("/api/channels?kind=TEST&limit=1", "name").await, ["c2", "c4", "c6"]);
    assert_eq!(server.all("/api/channels?group=c3", "name").await, ["c3"]);
    server.put("/api/channels/c5").json(json!({"status": "MAINTENANCE"})).send().await.ok(200);
    assert_eq!(server.all("/api/channels?status=MAINTENANCE", "name").await, ["c5"]);
    assert_eq!(server.all("/api/channels?region=us-west-2", "name").await, [""; 0]);
});

on_both!(a_full_channel_and_a_draining_one_take_nobody_in, async |server: Server| {
    let bots = server.bots(3).await;
    server
        .post("/api/channels")
        .json(json!({"name": "small", "kind": "MAIN", "max_bots": 1}))
        .send()
        .await
        .ok(201);
    let assign =
        |bot: &str| server.post("/api/channels/small/assign-bot").json(json!({"bot_id": bot})).send();

    let assigned = assign(&bots[0]).await.ok(200);
    assert_eq!((&assigned["channel"], &assigned["id"]), (&json!("small"), &json!(bots[0])));
    let detail = assign(&bots[1]).await.refused(409, "channel_full");
    assert_eq!(detail, "channel `small` has 0 of 1 seats left, 1 wanted");
    assert_eq!(server.get("/api/channels/small").send().await.ok(200)["status"], "FULL");

    let removed =
        server.post("/api/channels/small/remove-bot").json(json!({"bot_id": bots[0]})).send().await.ok(200);
    assert_eq!(removed["channel"], json!(null));
    server
        .post("/api/channels/small/remove-bot")
        .json(json!({"bot_id": bots[0]}))
        .send()
        .await
        .refused(409, "not_in_channel");

    let drained = server.post("/api/channels/small/drain").send().await.ok(200);
    assert_eq!((&drained["channel"]["status"], &drained["moved"]), (&json!("DRAINING"), &json!(0)));
    assign(&bots[1]).await.refused(409, "channel_not_accepting");
    server.put("/api/channels/small").json(json!({"status": "MAINTENANCE"})).send().await.ok(200);
    assign(&bots[1]).await.refused(409, "channel_not_accepting");
});

on_both!(bots_are_migrated_rebalanced_and_moved_on_when_their_channel_goes, async |server: Server| {
    let bots = server.bots(6).await;
    server.post("/api/channels").json(json!({"name": "main-2", "kind": "MAIN"})).send().await.ok(201);
    let some = json!({"to": "main-2", "bot_ids": [bots[0], bots[1]]});
    assert_eq!(server.post("/api/channels/main/migrate").json(some.clone()).send().await.ok(200)["moved"], 2);
    server.post("/api/channels/main/migrate").json(some).send().await.refused(409, "not_in_channel");
    assert_eq!(
        server.post("/api/channels/main/migrate").json(json!({"to": "main-2"})).send().await.ok(200)["moved"],
        4
    );
    assert_eq!(
        server.post("/api/channels/main-2/rebalance").send().await.ok(200),
        json!({"moved": 3, "opened": []})
    );
    assert_eq!(server.post("/api/channels/rebalance").send().await.ok(200)["moved"], 0);
    let put = server.put("/api/channels/main").json(json!({"max_bots": 2})).send().await;
    assert!(put.refused(409, "below_load").contains("holds 3 bots"));
    assert_eq!(server.delete("/api/channels/main-2").send().await.ok(200)["moved"], 3);
    assert_eq!(server.get("/api/channels/main").send().await.ok(200)["bots"], 6);
});

on_both!(stats_sync_discovery_and_reset_work_on_the_world_of_a_channel, async |server: Server| {
    let bots = server.bots(3).await;
    server.until_live(3).await;
    let stats = server.get("/api/channels/main/stats").send().await.ok(200);
    assert_eq!(
        (&stats["channel"], &stats["assigned"], &stats["bots"]["live"]),
        (&json!("main"), &json!(3), &json!(3))
    );
    assert_eq!((&stats["world_state"], &stats["last_sync"]["ok"]), (&json!("valid"), &json!(true)));
    assert!(stats["epoch"].as_i64().unwrap() >= 1);
    let world = stats["world"].as_str().unwrap();
    assert_eq!(server.get("/api/channels/main").send().await.ok(200)["world"], world);

    assert_eq!(server.post("/api/channels/main/sync").send().await.ok(202), json!({}));
    let found = server.post("/api/channels/main/discover").send().await.ok(200);
    assert_eq!((&found["world"], &found["source"]), (&json!(world), &json!("cache")));
    let found = server.post("/api/channels/main/discover").json(json!({"clear": true})).send().await.ok(200);
    assert_eq!((&found["world"], &found["source"]), (&json!(world), &json!("known")));
    assert!(found["duration_ms"].as_f64().unwrap() >= 0.0);

    let plan = server
        .post("/api/channels/reset")
        .json(json!({"channel": "main", "dry_run": true}))
        .send()
        .await
        .ok(200);
    let row = json!({"channel": "main", "world": world, "bots": 3, "failed": 0});
    assert_eq!(plan, json!({"channels": [row], "applied": false}));
    assert_eq!(server.get("/api/channels/main").send().await.ok(200)["world"], world);
    let done = server.post("/api/channels/reset").json(json!({"channel": "main"})).send().await.ok(200);
    assert_eq!((&done["applied"], &done["channels"][0]["bots"]), (&json!(true), &json!(3)));
    server.until_live(3).await;
    assert_eq!(
        server.get(&format!("/api/bots/{}", bots[0])).send().await.ok(200)["why_not_live"],
        json!(null)
    );
    server.post("/api/channels/nowhere/sync").send().await.refused(404, "channel_not_found");
    server.post("/api/channels/nowhere/discover").send().await.refused(404, "channel_not_found");
    server
        .post("/api/channels/reset")
        .json(json!({"channel": "nowhere"}))
        .send()
        .await
        .refused(404, "channel_not_found");
});
