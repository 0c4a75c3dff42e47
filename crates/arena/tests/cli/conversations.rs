use crate::support::{FakeServer, Reply, arena, conversation, line, page, receipt};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn conversations_are_listed_and_shown() {
    let mut ended = conversation("c-2");
    ended["exhausted"] = json!("total_limit");
    ended["participants"] = json!([]);
    ended["limits"] = json!({"max_total_messages": null});
    let server = FakeServer::answering(200, page(&[conversation("tea"), ended], None));
    let args = ["conversations", "list", "--owner", "olga", "--exhausted", "false", "--root", "tea"];
    insta::assert_snapshot!("conversations-list", arena(Some(&server), &args).stdout);
    assert_eq!(server.lines(), ["GET /api/conversations?owner=olga&root=tea&exhausted=false"]);
    let server = FakeServer::answering(200, conversation("tea").to_string());
    insta::assert_snapshot!(
        "conversations-show",
        arena(Some(&server), &["conversations", "show", "tea"]).stdout
    );
}

/// The body that a command sends.
fn sent(args: &[&str], answer: Value) -> (String, Value) {
    let server = FakeServer::answering(200, answer.to_string());
    let run = arena(Some(&server), args);
    assert_eq!(run.code, Some(0), "{args:?}: {}", run.stderr);
    let seen = server.seen().remove(0);
    (seen.line(), serde_json::from_str(&seen.body).unwrap())
}

#[test]
fn a_conversation_is_made_of_options_that_go_over_its_setup() {
    let setup = r#"{"limits": {"max_total_messages": 9, "max_total_tokens": 7}, "delivery": "withhold"}"#;
    let (line, body) = sent(
        &[
            "conversations",
            "create",
            "tea",
            "--participant",
            "ada",
            "--participant",
            "bo c",
            "--max-replies",
            "2",
            "--max-messages",
            "5",
            "--duration",
            "1h",
            "--turns",
            "round_robin",
            "--owner",
            "olga",
            "--metadata",
            r#"{"a": 1}"#,
            "--setup",
            setup,
        ],
        conversation("tea"),
    );
    assert_eq!(line, "POST /api/conversations");
    let limits = json!({
        "max_replies_per_participant": 2, "max_total_messages": 5, "max_total_tokens": 7,
        "max_duration_ms": 3_600_000,
    });
    let expected = json!({
        "id": "tea", "participants": ["ada", "bo c"], "limits": limits, "turns": {"policy": "round_robin"},
        "owner": "olga", "metadata": {"a": 1}, "delivery": "withhold",
    });
    assert_eq!(body, expected);
    let (_, body) = sent(&["conversations", "create"], conversation("c-1"));
    assert_eq!(body, json!({}));
}

#[test]
fn something_is_said_in_a_name() {
    let args = ["conversations", "say", "tea", "Hello", "--as", "ada", "--id", "m-1", "--tokens", "12"];
    let (line, body) = sent(&args, receipt(Some(1)));
    assert_eq!(line, "POST /api/conversations/tea/messages");
    assert_eq!(body, json!({"author": "ada", "text": "Hello", "id": "m-1", "tokens": 12}));
    let server = FakeServer::answering(201, receipt(Some(1)).to_string());
    assert_eq!(arena(Some(&server), &args).stdout, "line 7; 1 message left to all\n");
    assert_eq!(
        arena(Some(&server), &["conversations", "say", "tea", "Hello"]).code,
        Some(2),
        "nobody says it"
    );
}

#[test]
fn a_refusal_says_when_to_come_back() {
    let problem = json!({
        "status": 429, "code": "participant_limit", "detail": "`ada` has 0 of 2 messages left", "retryable": true,
        "request_id": "r-1", "scope": "participant", "limit": 2, "used": 2, "remaining": 0, "retry_after_ms": 1_200,
        "message_id": null,
    });
    let server = FakeServer::answering(429, problem.to_string());
    let run = arena(Some(&server), &["conversations", "say", "tea", "Hello", "--as", "ada"]);
    assert_eq!(run.code, Some(1));
    let expected = "error: `ada` has 0 of 2 messages left\n  code participant_limit (429), request r-1\n  this \
                    passes: try again in 2 s\n";
    assert_eq!(run.stderr, expected);
}

#[test]
fn what_is_left_is_a_table() {
    let caps = |messages: Option<u64>, tokens: Option<u64>| json!({"messages": messages, "tokens": tokens, "cost_micros": null});
    let used = |messages: u64, tokens: u64| json!({"messages": messages, "tokens": tokens, "cost_micros": 0});
    let share = |name: &str, said: u64, reason: Option<&str>| {
        json!({
            "participant": name, "limit": caps(Some(2), None), "used": used(said, said * 500), "held": used(0, 0),
            "remaining": caps(Some(2 - said), None), "may_send": reason.is_none(), "reason": reason,
            "retry_after_ms": reason.map(|_| 90_000), "exhausted": false,
        })
    };
    let capacity = json!({
        "conversation": "tea",
        "total": {
            "limit": caps(Some(5), Some(4_000)), "used": used(3, 1_500), "held": used(1, 200),
            "remaining": caps(Some(1), Some(2_300)),
        },
        "exhausted": null, "ends_in_ms": 3_600_000, "refills_in_ms": 90_000, "turn": "bo",
        "participants": [share("ada", 2, Some("participant_limit")), share("bo", 1, None)],
    });
    let server = FakeServer::answering(200, capacity.to_string());
    let args = ["conversations", "capacity", "tea"];
    insta::assert_snapshot!("conversations-capacity", arena(Some(&server), &args).stdout);
    let json = arena(Some(&server), &[&args[..], &["--output", "json"]].concat()).stdout;
    assert_eq!(json, format!("{capacity}\n"), "the server's own");
}

#[test]
fn budgets_are_raised_for_all_for_each_or_for_some() {
    let top_up = |more: &[&str]| sent(&[&["conversations", "top-up", "tea"], more].concat(), receipt(None));
    let (line, body) = top_up(&["--messages", "5", "--duration", "1m"]);
    assert_eq!(line, "POST /api/conversations/tea/top-up");
    assert_eq!(body, json!({"total": {"messages": 5}, "duration_ms": 60_000}));
    let (_, body) = top_up(&["--tokens", "5", "--each"]);
    assert_eq!(body, json!({"per_participant": {"tokens": 5}}));
    let (_, body) = top_up(&["--cost-micros", "5", "--participant", "ada", "--participant", "bo"]);
    assert_eq!(body, json!({"participants": {"ada": {"cost_micros": 5}, "bo": {"cost_micros": 5}}}));
    for verb in ["close", "reopen"] {
        let (line, body) = sent(&["conversations", verb, "tea"], receipt(None));
        assert_eq!((line, body), (format!("POST /api/conversations/tea/{verb}"), json!({})));
    }
    assert_eq!(arena(None, &["conversations", "top-up", "tea"]).code, Some(2), "by nothing");
}

#[test]
fn a_log_is_shown_page_by_page_or_whole() {
    let log = |lines: &[Value], more: bool| {
        let position = lines.last().map_or(0, |line| line["offset"].as_u64().unwrap());
        json!({"items": lines, "position": position, "epoch": "e", "more": more}).to_string()
    };
    let server = FakeServer::start(move |seen| {
        let body = if seen.path.contains("after=2") {
            log(&[line(3, "exhausted", json!({"reason": "total_limit", "participants": []}))], false)
        } else {
            let said = json!({"author": "ada", "text": "two\nlines \u{1b}[2J"});
            log(&[line(1, "created", json!({"owner": "olga"})), line(2, "message", said)], true)
        };
        Reply::Json(200, body)
    });
    let run = arena(Some(&server), &["conversations", "messages", "tea", "--limit", "2"]);
    insta::assert_snapshot!("conversations-messages", run.stdout);
    assert_eq!(run.stderr, "there are more: --after 2, or --all\n");
    let all = arena(Some(&server), &["conversations", "messages", "tea", "--all", "--output", "json"]).stdout;
    let all: Value = serde_json::from_str(&all).unwrap();
    let offsets: Vec<_> = all["items"].as_array().unwrap().iter().map(|line| &line["offset"]).collect();
    assert_eq!((offsets, &all["more"]), (vec![&json!(1), &json!(2), &json!(3)], &json!(false)));
    let expected = [
        "GET /api/conversations/tea/messages?after=0&limit=2",
        "GET /api/conversations/tea/messages?after=0&limit=1000",
        "GET /api/conversations/tea/messages?after=2&limit=1000",
    ];
    assert_eq!(server.lines(), expected);
}

#[test]
fn a_log_is_followed_through_connections_that_end() {
    let turn = AtomicUsize::new(0);
    let event = |offset: u64| {
        let line = line(offset, "message", json!({"author": "ada", "text": format!("line {offset}")}));
        format!("id: {offset}\nevent: message\ndata: {line}\n\n")
    };
    let server = FakeServer::start(move |_| match turn.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Events(format!(":\n\n{}{}id: 9\nevent: mess", event(5), event(6))),
        1 => Reply::Reset,
        _ => Reply::Events(format!("{}{}", event(7), event(8))),
    });
    let args = ["conversations", "messages", "tea", "--follow", "--after", "4", "--count", "3"];
    let run = arena(Some(&server), &args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let told: Vec<&str> = run.stdout.lines().map(|line| &line[line.len() - 11..]).collect();
    assert_eq!(told, ["ada: line 5", "ada: line 6", "ada: line 7"]);
    let seen = server.seen();
    let places: Vec<_> = seen.iter().map(|seen| seen.header("last-event-id").unwrap()).collect();
    assert_eq!(places, ["4", "6", "6"]);
    assert_eq!(seen[0].line(), "GET /api/conversations/tea/messages/stream");
}

#[test]
fn following_what_is_not_there_ends_at_once() {
    let gone = crate::support::problem(404, "conversation_not_found", "there is no conversation `tea`");
    let server = FakeServer::answering(404, gone);
    let run = arena(Some(&server), &["conversations", "messages", "tea", "--follow"]);
    assert_eq!((run.code, server.seen().len()), (Some(1), 1));
    let server = FakeServer::answering(200, "{}");
    let run = arena(Some(&server), &["conversations", "messages", "tea", "--follow"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
}

#[test]
fn a_shared_budget_is_set_as_a_whole_and_shown() {
    let budget = json!({
        "id": "owner:olga", "max_messages": 1_000, "max_tokens": null, "max_cost_micros": 500,
        "refill_every_ms": 86_400_000, "used": {"messages": 10, "tokens": 70, "cost_micros": 0},
        "held": {"messages": 1, "tokens": 0, "cost_micros": 0},
        "remaining": {"messages": 989, "tokens": null, "cost_micros": 500}, "refills_in_ms": 3_600_000,
    });
    let args = ["budgets", "set", "owner:olga", "--max-messages", "1000", "--refill-every", "1d"];
    let (line, body) = sent(&args, budget.clone());
    assert_eq!(line, "PUT /api/budgets/owner:olga");
    let expected = json!({
        "max_messages": 1_000, "max_tokens": null, "max_cost_micros": null, "refill_every_ms": 86_400_000,
    });
    assert_eq!(body, expected);
    let server = FakeServer::answering(200, budget.to_string());
    insta::assert_snapshot!("budgets-show", arena(Some(&server), &["budgets", "show", "owner:olga"]).stdout);
    assert_eq!(arena(Some(&server), &["budgets", "show", "olga"]).code, Some(2));
}
