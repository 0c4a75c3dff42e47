//! A log that is followed as server-sent events, over restarts.

use crate::gateway::Gateway;
use crate::support::{Line, PATIENCE};
use arena_testing::{TestDatabase, wait_until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Messages in each life of the server.
const EACH: u64 = 60;

/// The lines that come over one connection, until it ends or `last` was seen.
fn follow(address: &str, last_seen: u64, seen: &AtomicU64, last: u64) -> Vec<Value> {
    let url = format!("http://{address}/api/conversations/c/messages/stream");
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    let agent: ureq::Agent = config.timeout_global(Some(PATIENCE)).build().into();
    let request = agent.get(url).header("last-event-id", last_seen.to_string());
    let Ok(mut answer) = request.call() else { return Vec::new() };
    if answer.status() != 200 {
        return Vec::new();
    }
    let (mut lines, mut event) = (Vec::new(), Vec::new());
    for text in BufReader::new(answer.body_mut().as_reader()).lines().map_while(Result::ok) {
        // What is not ended by an empty line is no event.
        if !text.is_empty() {
            event.push(text);
            continue;
        }
        let Some(line) = line_of(&std::mem::take(&mut event)) else { continue };
        let offset = line["offset"].as_u64().unwrap();
        seen.store(offset, Ordering::Release);
        lines.push(line);
        if offset == last {
            break;
        }
    }
    lines
}

/// The line that an event tells; none for a comment.
fn line_of(event: &[String]) -> Option<Value> {
    let field = |name: &str| event.iter().find_map(|text| text.strip_prefix(name)?.strip_prefix(": "));
    let line: Value = serde_json::from_str(field("data")?).unwrap();
    assert_eq!(field("id"), Some(&*line["offset"].to_string()), "{event:?}");
    assert_eq!(field("event"), line["event"].as_str(), "{event:?}");
    Some(line)
}

fn say(gateway: &Gateway, life: u64, which: Range<u64>) {
    let mut line = Line::to(&gateway.address());
    for n in which {
        let message =
            json!({ "author": "ada", "text": format!("{life}: {n}"), "id": format!("m-{life}-{n}") });
        let answer = line.post("/api/conversations/c/messages", &message);
        assert!(matches!(answer, Some((201, _))), "{answer:?}");
    }
}

fn followed_over_restarts(database: TestDatabase) {
    let mut gateway = Gateway::over(database);
    gateway.post("/api/conversations", &json!({ "id": "c", "limits": { "max_total_messages": 3 * EACH } }));
    // The creation, the messages, the end.
    let (last, seen, address) = (2 + 3 * EACH, AtomicU64::new(0), gateway.address());
    let lines = std::thread::scope(|scope| {
        let follower = scope.spawn(|| {
            let mut lines: Vec<Value> = Vec::new();
            wait_until(2 * PATIENCE, "the end is seen", || {
                let last_seen = lines.last().map_or(0, |line| line["offset"].as_u64().unwrap());
                lines.extend(follow(&address, last_seen, &seen, last));
                lines.last().is_some_and(|line| line["offset"] == last)
            });
            lines
        });
        for life in 0..3 {
            // It follows when most of this is said, and may have heard any part of it when the server goes.
            say(&gateway, life, 0..1);
            let first = 2 + life * EACH;
            wait_until(PATIENCE, "it follows", || seen.load(Ordering::Acquire) >= first);
            say(&gateway, life, 1..EACH);
            match life {
                0 => gateway.kill(),
                1 => assert_eq!(gateway.interrupt().code(), Some(0)),
                _ => break,
            }
            gateway.launch();
        }
        follower.join().unwrap()
    });
    let offsets = lines.iter().map(|line| line["offset"].as_u64().unwrap());
    assert!(offsets.eq(1..=last), "each line once, in order");
    let said = |line: &&Value| line["event"] == "message";
    let texts: Vec<&str> =
        lines.iter().filter(said).map(|line| line["payload"]["text"].as_str().unwrap()).collect();
    let all = (0..3).flat_map(|life| (0..EACH).map(move |n| format!("{life}: {n}")));
    assert!(all.eq(texts.iter().copied()), "{texts:?}");
    assert_eq!(lines.last().unwrap()["event"], "exhausted");
    assert!(lines.iter().all(|line| line["epoch"] == lines[0]["epoch"]));
}

#[test]
fn a_follower_with_its_last_id_misses_nothing_over_restarts_on_sqlite() {
    followed_over_restarts(TestDatabase::sqlite());
}

#[test]
fn a_follower_with_its_last_id_misses_nothing_over_restarts_on_postgres() {
    followed_over_restarts(TestDatabase::postgres());
}
