//! `arena serve` with a bot service in it, and `arena fleet run` beside a server with the same data directory.

use super::support::{Arena, PATIENCE, arena, get, signal};
use arena_testing::{TestDatabase, free_port, wait_until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Bots that start, and ticks that come, without the pauses that spare an endpoint.
const QUICK: [(&str, &str); 5] = [
    ("ARENA_FLEET__MIN", "2"),
    ("ARENA_FLEET__MAX", "4"),
    ("ARENA_FLEET__STAGGER_MIN_MS", "5"),
    ("ARENA_FLEET__STAGGER_MAX_MS", "10"),
    ("ARENA_FLEET__MAINTENANCE_MS", "200"),
];

fn with_fleet() -> Arena {
    let settings = [&QUICK[..], &[("ARENA_FLEET__ENABLED", "true")]].concat();
    Arena::start_with(TestDatabase::sqlite(), &settings)
}

fn until_active(arena: &Arena, bots: u64) -> Value {
    let mut report = Value::Null;
    wait_until(PATIENCE, "the bots are there", || {
        report = arena.get("/api/fleet/stats");
        report["totals"]["active"] == bots
    });
    report
}

#[test]
fn a_server_without_a_fleet_says_what_to_do() {
    let arena = Arena::start(TestDatabase::sqlite());
    for path in ["/api/fleet/stats", "/api/fleet/healthz"] {
        let (status, problem) = arena.try_get(path).unwrap();
        assert_eq!((status, &problem["code"]), (404, &json!("fleet_not_running")), "{path}");
    }
    assert_eq!(arena.try_get("/healthz").unwrap().0, 200);
}

#[test]
fn a_server_runs_bots_against_itself_and_has_them_leave_before_it_ends() {
    let mut arena = with_fleet();
    let report = until_active(&arena, 2);
    assert_eq!(report["totals"]["reconnect_attempts"], 0, "{report:#}");
    assert_eq!(report["errors"], json!([]), "{report:#}");
    assert_eq!(arena.get("/api/fleet/healthz"), json!({"healthy": true, "reasons": []}));
    arena.post("/api/fleet/scale", &json!({"count": 4}));
    until_active(&arena, 4);
    arena.post("/api/fleet/scale", &json!({"count": 1}));
    until_active(&arena, 1);
    assert_eq!(arena.post("/api/fleet/pause", &json!({}))["mode"], "paused");
    assert_eq!(arena.interrupt().code(), Some(0));
}

#[test]
fn a_bot_that_is_sent_into_a_conversation_speaks_there_in_its_own_name() {
    let arena = with_fleet();
    let bot = until_active(&arena, 2)["bots"][0]["id"].as_str().unwrap().to_owned();
    arena.post("/api/conversations", &json!({"id": "tea", "participants": ["ann", bot]}));
    arena.post("/api/conversations/tea/messages", &json!({"author": "ann", "text": "Hello?"}));
    let sent = arena.post("/api/fleet/talks", &json!({"conversation": "tea", "bot": bot}));
    assert_eq!(sent["bot"], *bot);
    wait_until(PATIENCE, "it says something", || {
        let log = arena.get("/api/conversations/tea/messages");
        let lines = log["items"].as_array().unwrap().iter();
        lines.map(|line| &line["payload"]).any(|line| line["author"] == *bot && line["data"]["bot"] == true)
    });
}

#[test]
fn a_bot_service_beside_the_server_needs_no_key_but_the_data_directory() {
    let server = Arena::start(TestDatabase::sqlite());
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = arena();
    command.args(["fleet", "run", "--count", "2", "--listen", &address, "--data-dir"]);
    command.arg(server.data_dir()).env("ARENA_LISTEN", server.address()).envs(QUICK);
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let endpoint = format!("bots connect to ws://{}/socket/websocket", server.address());
    assert!(lines.any(|line| line == endpoint));
    assert!(lines.any(|line| line.starts_with("2 bots are there after ")));
    for path in ["/healthz", "/api/fleet/healthz"] {
        assert_eq!(get(&address, path).unwrap().0, 200, "{path}");
    }
    assert_eq!(get(&address, "/api/bots").unwrap().1["code"], "no_such_route");
    signal(&child, "INT");
    assert!(lines.any(|line| line.starts_with("ending: ")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
