use crate::support::{FakeServer, Reply, Seen, arena, bot, channel, conversation, fleet, page, reset};
use serde_json::json;

/// Answers everything that the destructive verbs ask.
fn server() -> FakeServer {
    let world = json!({
        "id": "w-1", "channel": "main", "residents": 24, "tick": 7, "tick_ms": 200, "tick_ms_actual": 200.5,
        "lagging": false, "resident_list": [],
    });
    FakeServer::start(move |seen| {
        let body = match (seen.method.as_str(), seen.path.split('?').next().unwrap_or_default()) {
            ("POST", "/api/channels/reset") => reset(!seen.body.contains("dry_run")),
            ("POST", "/api/worlds/wipe" | "/api/worlds/w-1/wipe") => json!({"wiped": 1}).to_string(),
            ("GET", "/api/worlds") => page(&[world.clone(), world.clone()], None),
            ("GET", "/api/worlds/w-1") => world.to_string(),
            ("GET", path) if path.starts_with("/api/bots/") => bot(1, "Ada", "live").to_string(),
            ("GET", "/api/fleet/stats") => fleet(true).to_string(),
            ("POST", "/api/fleet/drain") => fleet(true)["manager"].to_string(),
            ("GET", "/api/conversations/tea") => conversation("tea").to_string(),
            ("DELETE", path) if path.starts_with("/api/bots/") || path.ends_with("/tea") => String::new(),
            ("GET", _) => channel("main-2", 24, 30).to_string(),
            _ => json!({"channel": {}, "moved": 24, "opened": ["main-3"]}).to_string(),
        };
        Reply::Json(200, body)
    })
}

const DESTRUCTIVE: [&[&str]; 8] = [
    &["channels", "drain", "main-2"],
    &["channels", "delete", "main-2"],
    &["channels", "reset"],
    &["worlds", "wipe", "w-1"],
    &["worlds", "wipe", "--all"],
    &["bots", "delete", "Ada"],
    &["conversations", "delete", "tea"],
    &["fleet", "drain"],
];

/// Whether the request changes something.
fn acts(seen: &Seen) -> bool {
    seen.method != "GET" && !seen.body.contains("dry_run")
}

#[test]
fn without_a_terminal_nothing_is_destroyed_unless_yes_is_said() {
    for verb in DESTRUCTIVE {
        let server = server();
        let run = arena(Some(&server), verb);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{verb:?}");
        assert!(run.stderr.contains("add --yes"), "{}", run.stderr);
        assert!(!server.seen().iter().any(acts), "{:?}", server.lines());
    }
}

#[test]
fn a_dry_run_shows_the_plan_and_does_nothing() {
    let mut plans = String::new();
    for verb in DESTRUCTIVE {
        let server = server();
        let run = arena(Some(&server), &[verb, &["--dry-run"]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{verb:?}");
        assert!(!server.seen().iter().any(acts), "{:?}", server.lines());
        plans.push_str(&format!("$ arena {} --dry-run\n{}\n", verb.join(" "), run.stdout));
        let json = arena(Some(&server), &[verb, &["--dry-run", "--output", "json"]].concat());
        serde_json::from_str::<serde_json::Value>(&json.stdout).expect("a plan for programs is JSON");
    }
    insta::assert_snapshot!("plans", plans);
}

#[test]
fn with_yes_it_is_done_once() {
    let mut outcomes = String::new();
    for verb in DESTRUCTIVE {
        let server = server();
        let run = arena(Some(&server), &[verb, &["--yes"]].concat());
        assert_eq!(run.code, Some(0), "{verb:?}: {}", run.stderr);
        let done: Vec<Seen> = server.seen().into_iter().filter(acts).collect();
        assert_eq!(done.len(), 1, "{verb:?}");
        outcomes.push_str(&format!("$ arena {} --yes\n{}\n{}", verb.join(" "), done[0].line(), run.stdout));
    }
    insta::assert_snapshot!("done", outcomes);
}
