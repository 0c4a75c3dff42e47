use crate::support::{FakeServer, Reply, arena, arena_command, fleet, problem};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

#[test]
fn the_status_is_told_in_words_and_tables() {
    let server = FakeServer::answering(200, fleet(true).to_string());
    let run = arena(Some(&server), &["fleet", "status"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    insta::assert_snapshot!("fleet-status", run.stdout);
    assert_eq!(server.lines(), ["GET /api/fleet/stats?bots=false"]);
    let json = arena(Some(&server), &["fleet", "status", "--output", "json"]).stdout;
    assert_eq!(json, format!("{}\n", fleet(true)), "the server's own");
}

#[test]
fn a_fleet_in_trouble_says_what_is_wrong_and_what_to_do() {
    let mut report = fleet(false);
    report["model"] = json!({
        "model": "small", "up": false, "breaker": "open", "calls": 1_234, "replies": 3, "failures": 5,
        "fallbacks": 7, "unpaid": 0, "under_way": 0, "tokens": 1, "cost_micros": 56_789, "held_tokens": 0,
        "held_cost_micros": 0, "fleet_tokens": null, "fleet_cost_micros": 60_000, "reservations_lapsed": 0,
        "last_fault": null,
    });
    report["manager"]["mode"] = json!("paused");
    report["manager"]["pinned"] = json!(40);
    report["manager"]["lobby"]["joined"] = json!(false);
    report["pool"]["breaker"] = json!("half_open");
    report["pool"]["halted"] =
        json!({"class": "authentication", "code": "MalformedJWT", "detail": "The token is not a valid JWT"});
    let server = FakeServer::answering(200, report.to_string());
    insta::assert_snapshot!("fleet-status-halted", arena(Some(&server), &["fleet", "status"]).stdout);
}

#[test]
fn bots_are_listed_all_or_by_state() {
    let server = FakeServer::answering(200, fleet(true).to_string());
    insta::assert_snapshot!("fleet-bots", arena(Some(&server), &["fleet", "bots"]).stdout);
    let args = ["fleet", "bots", "--state", "talking", "--output", "json"];
    let some: Value = serde_json::from_str(&arena(Some(&server), &args).stdout).unwrap();
    assert_eq!(some["items"].as_array().unwrap().len(), 1);
    assert_eq!(some["items"][0]["conversation"], "tea");
}

#[test]
fn orders_are_sent_as_they_are_meant() {
    for (args, line, body, words) in [
        (&["pause"][..], "pause", json!({}), "running; 3 bots wanted, as the humans call for\n"),
        (&["resume"], "resume", json!({}), "running; 3 bots wanted, as the humans call for\n"),
        (&["scale", "7"], "scale", json!({"count": 7}), "running; 3 bots wanted, as the humans call for\n"),
        (
            &["scale", "auto"],
            "scale",
            json!({"count": "auto"}),
            "running; 3 bots wanted, as the humans call for\n",
        ),
    ] {
        let server = FakeServer::answering(200, fleet(true)["manager"].to_string());
        let run = arena(Some(&server), &[&["fleet"], args].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), words), "{args:?}: {}", run.stderr);
        let seen = server.seen().remove(0);
        assert_eq!(seen.line(), format!("POST /api/fleet/{line}"));
        assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), body);
    }
    for wrong in ["", "-1", "many", "100001"] {
        assert_eq!(arena(None, &["fleet", "scale", wrong]).code, Some(2), "{wrong}");
    }
}

#[test]
fn a_bot_is_sent_into_a_conversation_once() {
    let goes = json!({"conversation": "tea", "bot": "bot-ada", "name": "Ada"});
    let server = FakeServer::answering(200, goes.to_string());
    let run = arena(Some(&server), &["fleet", "talk", "tea", "--bot", "bot-ada"]);
    assert_eq!(run.stdout, "Ada (bot-ada) goes into tea\n", "{}", run.stderr);
    let seen = server.seen();
    assert_eq!(seen[0].line(), "POST /api/fleet/talks");
    let body: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(body, json!({"conversation": "tea", "bot": "bot-ada"}));
    let broken = FakeServer::start(|_| Reply::Reset);
    assert_eq!(arena(Some(&broken), &["fleet", "talk", "tea"]).code, Some(3));
    assert_eq!(broken.lines().len(), 1, "a second one might send a second bot");
}

#[test]
fn a_server_without_a_fleet_says_so() {
    let detail = "no bot service runs in this server: start it with `arena serve --fleet`";
    let server = FakeServer::answering(404, problem(404, "fleet_not_running", detail));
    let run = arena(Some(&server), &["fleet", "status"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("arena serve --fleet") && run.stderr.contains("fleet_not_running"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_watch_goes_on_through_an_outage() {
    let turn = AtomicU8::new(0);
    let server = FakeServer::start(move |_| match turn.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Json(200, fleet(false).to_string()),
        1 => Reply::Json(500, problem(500, "internal", "away")),
        _ => Reply::Json(200, fleet(true).to_string()),
    });
    let mut command = arena_command(&["fleet", "status", "--watch", "--server", &server.url()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "verdict  unhealthy"));
    assert!(lines.any(|line| line == "verdict  healthy"));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Runs the bot service with these variables; it must refuse to start.
fn refused(args: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = arena_command(&[&["fleet", "run", "--listen", "127.0.0.1:0"], args].concat());
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?} {variables:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn bad_values_are_named_with_their_place_and_what_is_allowed() {
    let said = refused(
        &["--min", "many", "--apikey", "s3cret with spaces"],
        &[
            ("SUPABASE_URL", "ref.supabase.co"),
            ("BOT_MAX_COUNT", "-3"),
            ("BOT_TARGET_PERCENTAGE", "a third"),
            ("MAINTENANCE_INTERVAL_MS", "1"),
        ],
    );
    for part in [
        "fleet.min = \"many\" (flag --min): must be a whole number from 0 to 100000",
        "fleet.apikey = \"***\" (flag --apikey): must be",
        "(environment variable SUPABASE_URL): must be empty, or a URL",
        "fleet.max = -3 (environment variable BOT_MAX_COUNT): must be a whole number",
        "(environment variable BOT_TARGET_PERCENTAGE): must be a share up to 1, such as 0.3",
        "fleet.maintenance_ms = 1 (environment variable MAINTENANCE_INTERVAL_MS): must be",
    ] {
        assert!(said.contains(part), "{part}\nis not in\n{said}");
    }
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn an_endpoint_without_a_key_is_refused_with_all_ways_to_give_one() {
    let said = refused(&["--endpoint", "wss://arena.example/socket"], &[]);
    assert!(said.contains("SUPABASE_SERVICE_ROLE_KEY") && said.contains("--apikey"), "{said}");
    let said = refused(&[], &[("SUPABASE_URL", "https://ref.supabase.co")]);
    assert!(said.contains("wss://ref.supabase.co/realtime/v1/websocket"), "{said}");
}
