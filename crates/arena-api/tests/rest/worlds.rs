//! `/api/worlds`, health and the activity log.

use crate::server::{Server, on_both};
use serde_json::json;

on_both!(worlds_are_listed_shown_validated_and_heal_after_a_wipe, async |server: Server| {
    let bots = server.bots(2).await;
    server.until_live(2).await;
    let world = server.all("/api/worlds?limit=1", "id").await.remove(0);
    let at = |act: &str| format!("/api/worlds/{world}{act}");
    let shown = server.get(&at("")).send().await.ok(200);
    assert_eq!(
        (&shown["id"], &shown["channel"], &shown["residents"]),
        (&json!(world), &json!("main"), &json!(2))
    );
    let residents = shown["resident_list"].as_array().unwrap();
    assert_eq!(residents.len(), 2);
    assert!(
        residents.iter().all(|r| bots.contains(&r["bot"].as_str().unwrap().to_owned()) && r["x"].is_f64())
    );
    assert!(shown["overheard"].is_array());

    let valid = server.post(&at("/validate")).send().await.ok(200);
    assert_eq!(valid, json!({"outcome": "valid", "detail": null}));
    assert_eq!(server.post(&at("/wipe")).send().await.ok(200), json!({"wiped": 1}));
    assert_eq!(server.post(&at("/validate")).send().await.ok(200)["outcome"], "gone");
    server.get(&at("")).send().await.refused(404, "world_not_found");
    server.until_healed_from(&world, 2).await;
    assert_eq!(server.post("/api/worlds/wipe").send().await.ok(200), json!({"wiped": 1}));
    server.get("/api/worlds/a%2Fb").send().await.refused(400, "invalid_path");
});

on_both!(the_health_report_and_the_probes_answer, async |server: Server| {
    server.bots(2).await;
    server.until_live(2).await;
    let report = server.get("/api/health").send().await.ok(200);
    assert_eq!((&report["level"], &report["bots"]["live"]), (&json!("healthy"), &json!(2)));
    assert_eq!((&report["channels"][0]["channel"], &report["valid_worlds"]), (&json!("main"), &json!(1)));
    server.get("/healthz").send().await.ok(200);
    server.get("/readyz").send().await.ok(200);
});

on_both!(the_activity_log_names_who_acted, async |server: Server| {
    let bot = server.bots(1).await.remove(0);
    let path = format!("/api/bots/{bot}/disable");
    server.post(&path).header("x-arena-actor", "olga").send().await.ok(200);
    let log = server.get(&format!("/api/activity?bot={bot}&limit=1")).send().await.ok(200);
    let entry = &log["items"][0];
    assert_eq!((&entry["actor"], &entry["bot"]), (&json!("olga"), &json!(bot)));
    assert!(entry["at_ms"].is_i64() && entry["action"].is_string() && log["next_cursor"].is_string());
    assert!(server.all("/api/activity?limit=1", "id").await.len() >= 2);
    assert_eq!(server.all("/api/activity?action=none.such", "id").await, [""; 0]);
    server.post(&path).header("x-arena-actor", "two words").send().await.refused(400, "invalid_header");
});
