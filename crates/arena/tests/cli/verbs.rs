use crate::support::{FakeServer, Reply, arena, arena_command, bot, channel};
use serde_json::json;
use std::io::Write;
use std::process::Stdio;

const ID: &str = "0190a3c4-0000-7000-8000-000000000001";

#[test]
fn a_bot_is_found_by_its_name() {
    let server = FakeServer::answering(200, bot(1, "Ada L", "backoff").to_string());
    let run = arena(Some(&server), &["bots", "show", "Ada L"]);
    insta::assert_snapshot!("bots-show", run.stdout);
    assert_eq!(arena(Some(&server), &["bots", "move", "Ada L", "--to", "main-2"]).code, Some(0));
    assert_eq!(arena(Some(&server), &["bots", "retry", ID]).code, Some(0));
    assert_eq!(
        server.lines(),
        [
            "GET /api/bots/name:Ada%20L".to_owned(),
            "GET /api/bots/name:Ada%20L".to_owned(),
            format!("POST /api/bots/{ID}/move"),
            format!("POST /api/bots/{ID}/retry"),
        ]
    );
    assert_eq!(server.seen()[2].body, r#"{"to":"main-2"}"#);
}

#[test]
fn a_channel_is_shown_with_its_figures() {
    let server = FakeServer::start(|seen| {
        let body = if seen.path.ends_with("/stats") {
            json!({
                "channel": "main", "assigned": 24, "max_bots": 30, "load_percent": 80.0,
                "bots": {"pending": 1, "deploying": 0, "live": 22, "backoff": 0, "failed": 1, "disabled": 0},
                "world": {
                    "id": "w-1", "channel": "main", "residents": 22, "tick": 9, "tick_ms": 200,
                    "tick_ms_actual": 200, "lagging": false,
                },
                "world_state": "valid", "epoch": 2,
                "last_sync": {"at_ms": 1_767_225_599_999_i64, "duration_ms": 12, "ok": false, "trouble": "timeout"},
            })
        } else {
            let mut channel = channel("main", 24, 30);
            channel["metadata"] = json!({"map": "town"});
            channel
        };
        Reply::Json(200, body.to_string())
    });
    insta::assert_snapshot!("channels-show", arena(Some(&server), &["channels", "show", "main"]).stdout);
    let json = arena(Some(&server), &["channels", "show", "main", "--output", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["channel"]["name"], &json["stats"]["assigned"]), (&json!("main"), &json!(24)));
}

#[test]
fn a_world_is_shown_with_who_is_in_it() {
    let world = json!({
        "id": "w-1", "channel": "main", "residents": 2, "tick": 12_345, "tick_ms": 200, "tick_ms_actual": 412.3,
        "lagging": true,
        "resident_list": [
            {"bot": ID, "name": "Ada L", "x": 12.25, "y": 3, "zone": "casino", "activity": "talking"},
            {"bot": ID, "name": "Bo", "x": 1.0, "y": 60.5, "zone": null, "activity": "walking"},
        ],
        "overheard": [{"name": "Ada L", "text": "The house always wins, they say."}],
    });
    let server = FakeServer::answering(200, world.to_string());
    insta::assert_snapshot!("worlds-show", arena(Some(&server), &["worlds", "show", "w-1"]).stdout);
}

#[test]
fn discovery_is_timed_as_it_is_cached_and_cleared() {
    let server = FakeServer::start(|seen| {
        let source = if seen.body.contains("clear") { "created" } else { "cache" };
        Reply::Json(200, json!({"world": "w-9", "source": source, "duration_ms": 1.25}).to_string())
    });
    let run = arena(Some(&server), &["worlds", "discover", "main"]);
    insta::assert_snapshot!("worlds-discover", run.stdout);
    let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, ["{}", "{}", r#"{"clear":true}"#]);
}

#[test]
fn a_roster_goes_up_as_what_it_is() {
    let answer = json!({"created": 1000, "existing": 1, "opened": ["main", "main-2"]}).to_string();
    let server = FakeServer::answering(200, answer);
    let roster = std::env::temp_dir().join(format!("arena-cli-{}.csv", std::process::id()));
    std::fs::write(&roster, "name\nAda\n").unwrap();
    let path = roster.to_str().unwrap();
    let run = arena(Some(&server), &["bots", "import", path]);
    assert_eq!(run.stdout, "1,000 bots imported, 1 there already; 2 channels opened\n");
    assert_eq!(arena(Some(&server), &["bots", "import", path, "--format", "json"]).code, Some(0));
    std::fs::remove_file(&roster).unwrap();
    let missing = arena(Some(&server), &["bots", "import", path]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("cannot be read"), "{}", missing.stderr);
    assert_eq!(arena(Some(&server), &["bots", "import", "roster"]).code, Some(2));
    let seen = server.seen();
    assert_eq!(seen[0].line(), "POST /api/bots/import");
    assert_eq!((seen[0].header("content-type"), seen[0].body.as_str()), (Some("text/csv"), "name\nAda\n"));
    assert!(seen[0].header("idempotency-key").is_some());
    assert_eq!(seen[1].header("content-type"), Some("application/json"));
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_roster_may_come_from_standard_input() {
    let server = FakeServer::answering(200, json!({"created": 1, "existing": 0, "opened": []}).to_string());
    let url = server.url();
    let mut command = arena_command(&["bots", "import", "-", "--format", "csv", "--server", &url]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"name\nBo\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1 bot imported, 0 there already\n");
    assert_eq!(server.seen()[0].body, "name\nBo\n");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let server = FakeServer::answering(200, crate::support::health_report(0));
    let url = server.url();
    let mut child = arena_command(&["bots", "list", "--help"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut child =
        arena_command(&["config", "show", "--server", &url]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
