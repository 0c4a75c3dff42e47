//! `/api/bots`.

use crate::server::{Server, on_both};
use serde_json::{Value, json};

on_both!(bots_are_created_shown_and_deleted, async |server: Server| {
    let new = json!({
        "name": "Ada Lovelace", "persona": "Counts cards.", "traits": ["curious"], "home_zone": "casino",
        "region": "us-west-2", "channel_kind": "MAIN",
    });
    let ada = server.post("/api/bots").json(new.clone()).send().await.ok(201);
    for (field, value) in new.as_object().unwrap() {
        assert_eq!(&ada[field], value);
    }
    assert_eq!((&ada["channel"], &ada["attempt"], &ada["reason"]), (&json!("main"), &json!(0), &json!(null)));
    server.until_live(1).await;
    let id = ada["id"].as_str().unwrap();
    let by_id = server.get(&format!("/api/bots/{id}")).send().await.ok(200);
    assert_eq!((&by_id["state"], &by_id["why_not_live"]), (&json!("live"), &json!(null)));
    assert!(by_id["world"].is_string());
    assert_eq!(server.get("/api/bots/name:Ada%20Lovelace").send().await.ok(200)["id"], id);
    server.get("/api/bots/name:Nobody").send().await.refused(404, "bot_not_found");

    server.post("/api/bots").json(new).send().await.refused(409, "name_taken");
    let bare = json!({"name": "Bea", "persona": null, "traits": null, "channel_kind": null, "channel": null});
    let bea = server.post("/api/bots").json(bare).send().await.ok(201);
    assert_eq!(
        (&bea["persona"], &bea["traits"], &bea["channel_kind"]),
        (&json!(""), &json!([]), &json!("MAIN"))
    );
    let bad = server.post("/api/bots").json(json!({"name": " Ada"})).send().await;
    assert!(bad.refused(422, "invalid_profile").starts_with("name:"));

    assert_eq!(server.delete(&format!("/api/bots/{id}")).send().await.ok(204), Value::Null);
    server.get(&format!("/api/bots/{id}")).send().await.refused(404, "bot_not_found");
    server.delete(&format!("/api/bots/{id}")).send().await.refused(404, "bot_not_found");
});

on_both!(bots_are_assigned_moved_disabled_and_retried, async |server: Server| {
    let bot = server.bots(1).await.remove(0);
    let call = |act: &str| server.post(&format!("/api/bots/{bot}/{act}"));
    server.post("/api/channels").json(json!({"name": "quiet", "kind": "VIP"})).send().await.ok(201);
    server.until_live(1).await;

    assert_eq!(call("move").json(json!({"to": "quiet"})).send().await.ok(200)["channel"], "quiet");
    assert_eq!(call("assign").json(json!({"channel": "main"})).send().await.ok(200)["channel"], "main");
    assert_eq!(call("assign").send().await.ok(200)["channel"], "main");
    assert_eq!(call("disable").send().await.ok(200)["state"], "disabled");
    let shown = server.get(&format!("/api/bots/{bot}")).send().await.ok(200);
    assert!(shown["why_not_live"].as_str().unwrap().contains("enable it"));
    assert_ne!(call("enable").send().await.ok(200)["state"], "disabled");
    server.until_live(1).await;
    call("retry").send().await.ok(200);
    server.until_live(1).await;

    call("move").json(json!({"to": "nowhere"})).send().await.refused(404, "channel_not_found");
    let nobody = format!("/api/bots/{}/retry", uuid::Uuid::nil());
    server.post(&nobody).send().await.refused(404, "bot_not_found");
});

on_both!(bots_are_listed_by_filter, async |server: Server| {
    let roster = json!([
        {"name": "Ann"}, {"name": "Anton"}, {"name": "Bea", "channel_kind": "VIP"},
        {"name": "Cid", "channel_kind": "REGIONAL", "region": "eu-central-1"},
    ]);
    server.post("/api/bots/import").json(roster).send().await.ok(200);
    let bea = server.get("/api/bots/name:Bea").send().await.ok(200);
    let out = json!({"bot_id": bea["id"]});
    server.post("/api/channels/vip/remove-bot").json(out).send().await.ok(200);
    server.until_live(3).await;
    let names = async |query: &str| {
        let mut names = server.all(&format!("/api/bots{query}"), "name").await;
        names.sort();
        names
    };
    assert_eq!(names("?limit=1").await, ["Ann", "Anton", "Bea", "Cid"]);
    assert_eq!(names("?name=An").await, ["Ann", "Anton"]);
    assert_eq!(names("?channel=-").await, ["Bea"]);
    assert_eq!(names("?channel=main&limit=1").await, ["Ann", "Anton"]);
    assert_eq!(names("?kind=REGIONAL").await, ["Cid"]);
    assert_eq!(names("?region=eu-central-1&state=live").await, ["Cid"]);
    assert_eq!(names("?state=failed").await, [""; 0]);
});

on_both!(rosters_come_in_as_csv_and_json_and_twice_changes_nothing, async |server: Server| {
    let csv = "name,persona,traits,home_zone,region,channel_kind\n\
               Ann,\"Likes, commas\",calm;brave,park,,MAIN\nBob,,,,,VIP\n";
    let import = |media_type: &str, text: &str| {
        server.post("/api/bots/import").text(media_type, text.to_owned()).send()
    };
    let first = import("text/csv; charset=utf-8", csv).await.ok(200);
    assert_eq!((&first["created"], &first["existing"]), (&json!(2), &json!(0)));
    assert_eq!(import("text/csv", csv).await.ok(200), json!({"created": 0, "existing": 2, "opened": []}));
    let ann = server.get("/api/bots/name:Ann").send().await.ok(200);
    assert_eq!((&ann["traits"], &ann["persona"]), (&json!(["calm", "brave"]), &json!("Likes, commas")));

    let json = json!((0..70).map(|n| json!({"name": format!("Bot {n}")})).collect::<Vec<_>>()).to_string();
    let second = import("application/json", &json).await.ok(200);
    assert_eq!(second["created"], 70);
    assert!(second["opened"].as_array().unwrap().contains(&json!("main-2")));
    assert_eq!(server.all("/api/bots?limit=25", "id").await.len(), 72);
});

on_both!(one_bad_row_refuses_the_whole_roster_and_is_named, async |server: Server| {
    let import =
        |media_type: &str, text: &'static [u8]| server.post("/api/bots/import").text(media_type, text).send();
    let csv = b"name,persona,traits,home_zone,region,channel_kind\nAnn,,,,,MAIN\nBob,,,,,HUGE\n";
    let detail = import("text/csv", csv).await.refused(422, "invalid_roster");
    assert!(detail.starts_with("row 2:") && detail.contains("HUGE"), "{detail}");
    let json = br#"[{"name": "Ann"}, {"name": "Bob", "channel_kind": "REGIONAL"}]"#;
    let detail = import("application/json", json).await.refused(422, "invalid_roster");
    assert!(detail.starts_with("row 2:") && detail.contains("region"), "{detail}");
    let detail = import("text/csv", b"name\nAnn\n\xff\n").await.refused(422, "invalid_roster");
    assert!(detail.starts_with("line 3:"), "{detail}");
    import("application/json", b"[{").await.refused(422, "invalid_roster");
    import("text/plain", b"x").await.refused(415, "unsupported_media_type");
    assert_eq!(server.all("/api/bots", "id").await, [""; 0]);
});
