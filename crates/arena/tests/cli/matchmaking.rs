use crate::support::{FakeServer, arena, page};
use serde_json::{Value, json};

const TICKET: &str = "00000000-0000-7000-8000-000000000001";
const MATCH: &str = "00000000-0000-7000-8000-0000000000a1";

fn queue() -> Value {
    json!({
        "name": "strangers", "version": 3,
        "rules": {"teams": 2, "team_size": 1, "bots_after_ms": 5_000},
        "waiting": {"humans": 1_204, "bots": 6, "oldest_wait_ms": 73_000},
        "proposed": 12, "matched": 300,
        "last_hour": {
            "matched": 4_021, "wait_p50_ms": 640, "wait_p95_ms": 9_870, "quality": 71, "abandoned": 17, "failed": 40,
        },
        "created_at_ms": 1_767_225_600_000_i64, "changed_at_ms": 1_767_225_600_000_i64,
    })
}

fn member(user: &str, kind: &str, team: u32) -> Value {
    json!({
        "ticket": TICKET, "user": user, "kind": kind, "name": null, "party": [], "team": team, "confirmed": team == 0,
    })
}

fn met() -> Value {
    json!({
        "id": MATCH, "queue": "strangers", "state": "standing", "ended": null, "ended_by": null,
        "conversation": "c-7", "channel": null, "quality": 80, "made_at_ms": 1_767_225_600_000_i64,
        "confirm_until_ms": 1_767_225_608_000_i64, "changed_at_ms": 1_767_225_603_000_i64,
        "members": [member("ann", "human", 0), member("bot-ada", "bot", 1)],
    })
}

fn ticket(state: &str, ended: Option<&str>) -> Value {
    json!({
        "id": TICKET, "queue": "strangers", "user": "ann", "kind": "human", "name": "Ann", "party": ["bo"],
        "region": "eu", "language": "de", "interests": ["tea", "go"], "rating": 1_500,
        "attributes": {"mode": "quick"}, "avoid": ["eve"], "requeue": true, "state": state, "ended": ended,
        "version": 4, "since_ms": 1_767_225_600_000_i64, "ahead": false, "waited_ms": 3_250,
        "created_at_ms": 1_767_225_600_000_i64, "changed_at_ms": 1_767_225_603_000_i64,
        "match": if state == "waiting" { Value::Null } else { met() },
    })
}

fn shown(args: &[&str], answer: &Value) -> String {
    let server = FakeServer::answering(200, answer.to_string());
    let run = arena(Some(&server), args);
    assert_eq!(run.code, Some(0), "{args:?}: {}", run.stderr);
    run.stdout
}

#[test]
fn queues_are_listed_and_shown_with_their_rules() {
    let mut empty = queue();
    empty["name"] = json!("cups");
    empty["waiting"] = json!({"humans": 0, "bots": 0, "oldest_wait_ms": null});
    empty["last_hour"] = json!({
        "matched": 0, "wait_p50_ms": null, "wait_p95_ms": null, "quality": null, "abandoned": 0, "failed": 0,
    });
    let queues: Value = serde_json::from_str(&page(&[queue(), empty], None)).unwrap();
    insta::assert_snapshot!("match-queues", shown(&["match", "queues"], &queues));
    insta::assert_snapshot!("match-queue", shown(&["match", "queue", "strangers"], &queue()));
}

#[test]
fn tickets_and_matches_are_listed_and_shown() {
    let tickets = [ticket("waiting", None), ticket("matched", None), ticket("over", Some("played"))];
    let server = FakeServer::answering(200, page(&tickets, None));
    let args = [
        "match",
        "tickets",
        "--queue",
        "strangers",
        "--state",
        "waiting",
        "--user",
        "ann",
        "--kind",
        "human",
    ];
    insta::assert_snapshot!("match-tickets", arena(Some(&server), &args).stdout);
    let line = "GET /api/matchmaking/tickets?queue=strangers&state=waiting&user=ann&kind=human";
    assert_eq!(server.lines(), [line]);
    insta::assert_snapshot!("match-ticket", shown(&["match", "ticket", TICKET], &ticket("matched", None)));

    let mut over = met();
    (over["state"], over["ended"], over["ended_by"]) = (json!("over"), json!("skipped"), json!("ann"));
    let server = FakeServer::answering(200, page(&[met(), over], None));
    let args = ["match", "matches", "--queue", "strangers", "--state", "over"];
    insta::assert_snapshot!("match-matches", arena(Some(&server), &args).stdout);
    assert_eq!(server.lines(), ["GET /api/matchmaking/matches?queue=strangers&state=over"]);
    insta::assert_snapshot!("match-match", shown(&["match", "match", MATCH], &met()));
}

#[test]
fn reports_are_listed_with_what_was_said() {
    let report = json!({
        "id": TICKET, "match": MATCH, "reporter": "ann", "reported": "eve", "reason": "spam",
        "detail": "the same link over and over", "created_at_ms": 1_767_225_600_000_i64,
    });
    let reports: Value = serde_json::from_str(&page(&[report], None)).unwrap();
    insta::assert_snapshot!("match-reports", shown(&["match", "reports"], &reports));
}

#[test]
fn a_tournament_is_its_games_and_who_stands_where() {
    let mut cup = met();
    (cup["conversation"], cup["channel"]) = (json!(null), json!("cup-1"));
    let standing = |rank: u32, user: &str, withdrawn: bool| {
        json!({
            "rank": rank, "user": user, "seed": rank, "round": 1, "played": 1, "won": u32::from(rank == 1), "drawn": 0,
            "lost": u32::from(rank > 1), "points": 3, "scored": 2, "conceded": 1, "withdrawn": withdrawn,
        })
    };
    let result =
        |winner: Option<&str>, forfeit: bool| json!({"winner": winner, "score": [2, 1], "forfeit": forfeit});
    let game = |number: u32, a: &str, b: Option<&str>, result: Option<Value>| json!({"number": number, "round": 1, "a": a, "b": b, "result": result});
    cup["format"] = json!("round_robin");
    cup["entrants"] = json!(["ann", "bo", "cy"]);
    cup["champion"] = json!("ann");
    cup["games"] = json!([
        game(1, "ann", Some("bo"), Some(result(Some("ann"), false))),
        game(2, "bo", Some("cy"), Some(result(None, false))),
        game(3, "cy", Some("ann"), Some(result(Some("ann"), true))),
        game(4, "cy", None, None),
    ]);
    cup["standings"] = json!([standing(1, "ann", false), standing(2, "bo", false), standing(3, "cy", true)]);
    insta::assert_snapshot!("match-tournament", shown(&["match", "tournament", MATCH], &cup));
    let server = FakeServer::answering(200, page(&[], None));
    let run = arena(Some(&server), &["match", "tournaments", "--queue", "cups"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), "no tournaments\n"));
    assert_eq!(server.lines(), ["GET /api/matchmaking/tournaments?queue=cups"]);
}

#[test]
fn a_queue_is_set_from_a_file_and_what_is_no_rules_is_not_sent() {
    let dir = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = dir.path().join("rules.json");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let server = FakeServer::answering(200, queue().to_string());
    let run = arena(Some(&server), &["match", "set", "strangers", &file(r#"{"bots_after_ms": 3000}"#)]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let seen = server.seen().remove(0);
    assert_eq!(seen.line(), "PUT /api/matchmaking/queues/strangers");
    assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), json!({"bots_after_ms": 3_000}));
    for (text, part) in [("[]", "rules are a JSON object"), ("{", "is not JSON")] {
        let run = arena(Some(&server), &["match", "set", "strangers", &file(text)]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    let run = arena(Some(&server), &["match", "set", "strangers", "/nowhere/rules.json"]);
    assert!(run.code == Some(1) && run.stderr.contains("cannot be read"), "{}", run.stderr);
    assert_eq!(server.lines().len(), 1);
    assert_eq!(arena(None, &["match", "queue", "No Such"]).code, Some(2), "no queue has such a name");
}

#[test]
fn nothing_is_ended_before_its_plan_was_shown() {
    let server = FakeServer::answering(200, queue().to_string());
    let run = arena(Some(&server), &["match", "delete", "strangers", "--dry-run"]);
    insta::assert_snapshot!("match-delete-plan", run.stdout);
    assert_eq!(arena(Some(&server), &["match", "delete", "strangers"]).code, Some(2));
    assert_eq!(server.lines(), ["GET /api/matchmaking/queues/strangers"; 2]);
    let server = FakeServer::answering(200, met().to_string());
    let run = arena(Some(&server), &["match", "close", MATCH, "--dry-run"]);
    insta::assert_snapshot!("match-close-plan", run.stdout);
    let run = arena(Some(&server), &["match", "close", MATCH, "--yes"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let path = format!("/api/matchmaking/matches/{MATCH}");
    assert_eq!(server.lines()[1..], [format!("GET {path}"), format!("POST {path}/close")]);
}

#[test]
fn a_simulation_needs_no_server_and_the_same_seed_gives_the_same_numbers() {
    let args = ["match", "simulate", "--seed", "7", "--seconds", "120", "--humans-per-s", "1", "--bots", "5"];
    let run = arena(None, &args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    insta::assert_snapshot!("match-simulate", run.stdout);
    let json = arena(None, &[&args[..], &["--output", "json"]].concat()).stdout;
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["plan"], json!({"seed": 7, "seconds": 120, "humans_per_s": 1.0, "bots": 5}));
    assert_eq!(report["rules"]["arrivals"], report["first_come"]["arrivals"], "the same arrivals");
    let other = arena(None, &[&args[..2], &["--seed", "8", "--seconds", "120"]].concat()).stdout;
    assert_ne!(other, run.stdout);
}

#[test]
fn a_simulation_takes_rules_as_a_queue_does_and_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let with = |rules: &str| {
        let path = dir.path().join("rules.json");
        std::fs::write(&path, rules).unwrap();
        arena(None, &["match", "simulate", "--seconds", "60", "--rules", path.to_str().unwrap()])
    };
    let plain = with("{}");
    assert_eq!(plain.code, Some(0), "{}", plain.stderr);
    let talkative =
        with(r#"{"bots_after_ms": 0, "outcome": {"talk": {"limits": {"max_total_messages": 9}}}}"#);
    assert_ne!(plain.stdout, talkative.stdout, "with bots at once");
    for (rules, part) in [
        (r#"{"team": 2}"#, "unknown field `team`"),
        (r#"{"teams": 1}"#, "at least 2 users"),
        ("nonsense", "expected"),
    ] {
        let run = with(rules);
        assert!(run.code != Some(0) && run.stderr.contains(part), "{rules}: {}", run.stderr);
    }
    let run = arena(None, &["match", "simulate", "--seconds", "0"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
}
