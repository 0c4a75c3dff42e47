use crate::support::{FakeServer, Reply, arena, channel, page, problem};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_server_that_is_not_there_is_exit_3_and_says_what_to_do() {
    // Bound and closed again: a port that refuses.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    for args in [&["bots", "list"][..], &["channels", "health"], &["worlds", "wipe", "--all", "--yes"]] {
        let run = arena(None, &[args, &["--server", &url]].concat());
        assert_eq!(run.code, Some(3));
        assert_eq!(
            run.stderr,
            format!(
                "error: no server answers at {url} (connection refused)\n  start it with `arena serve`, or name \
                 another with --server or ARENA_SERVER\n"
            )
        );
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn https_is_refused_clearly() {
    let run = arena(None, &["bots", "list", "--server", "https://arena.example"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("only http is spoken so far"), "{}", run.stderr);
}

#[test]
fn a_refusal_is_exit_1_with_detail_code_and_request() {
    let detail = "channel `main` has 0 of 30 seats left, 1 wanted";
    let server = FakeServer::answering(409, problem(409, "channel_full", detail));
    let id = "0190a3c4-0000-7000-8000-000000000001";
    let run = arena(Some(&server), &["bots", "assign", id, "--channel", "main"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stderr, format!("error: {detail}\n  code channel_full (409), request 0190a3c4\n"));
    let server = FakeServer::answering(503, problem(503, "overloaded", "\u{1b}[31mbusy"));
    let run = arena(Some(&server), &["bots", "list"]);
    assert!(run.stderr.starts_with("error:  [31mbusy\n"), "{:?}", run.stderr);
    assert!(run.stderr.ends_with("this may pass: try again in a moment\n"), "{:?}", run.stderr);
}

#[test]
fn what_is_not_arena_is_exit_3() {
    for (status, body) in [(200, "<html>"), (404, "<html>"), (200, "{\"items\": 3}"), (301, "")] {
        let server = FakeServer::answering(status, body);
        let run = arena(Some(&server), &["channels", "list"]);
        assert_eq!(run.code, Some(3), "{status} {body}");
        assert!(run.stderr.contains("not Arena's"), "{}", run.stderr);
    }
}

/// Breaks the first connection, then answers.
fn breaking_once() -> FakeServer {
    let turn = AtomicUsize::new(0);
    FakeServer::start(move |seen| match (turn.fetch_add(1, Ordering::SeqCst), seen.method.as_str()) {
        (0, _) => Reply::Reset,
        (_, "GET") => Reply::Json(200, page(&[], None)),
        _ => Reply::Json(201, channel("cup", 0, 30).to_string()),
    })
}

#[test]
fn a_broken_connection_is_tried_once_more_under_the_same_key() {
    let server = breaking_once();
    let run = arena(Some(&server), &["channels", "create", "cup", "--kind", "tournament"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let seen = server.seen();
    assert_eq!(server.lines(), ["POST /api/channels", "POST /api/channels"]);
    assert!(seen[0].header("idempotency-key").is_some_and(|key| key.len() == 36));
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
    assert_eq!(seen[0].body, r#"{"kind":"TOURNAMENT","name":"cup"}"#);

    let server = breaking_once();
    assert_eq!(arena(Some(&server), &["channels", "list"]).code, Some(0));

    // It breaks for good.
    let server = FakeServer::start(|_| Reply::Reset);
    let run = arena(Some(&server), &["channels", "list"]);
    assert_eq!((run.code, server.seen().len()), (Some(3), 2));
}

#[test]
fn what_has_no_key_is_not_said_twice() {
    let server = FakeServer::start(|_| Reply::Reset);
    let run = arena(Some(&server), &["worlds", "discover", "main"]);
    assert_eq!((run.code, server.seen().len()), (Some(3), 1));
}

#[test]
fn what_cannot_be_parsed_never_reaches_the_server() {
    let server = FakeServer::answering(200, "{}");
    for args in [
        &["channels", "show", "Main/../x"][..],
        &["channels", "create", "--kind", "LARGE"],
        &["channels", "create", "--metadata", "[1]"],
        &["channels", "configure", "main"],
        &["bots", "list", "--limit", "0"],
        &["worlds", "wipe"],
        &["worlds", "wipe", "w-1", "--all"],
        &["channels", "delete", "main", "--yes", "--dry-run"],
    ] {
        assert_eq!(arena(Some(&server), args).code, Some(2), "{args:?}");
    }
    assert_eq!(server.seen().len(), 0);
}
