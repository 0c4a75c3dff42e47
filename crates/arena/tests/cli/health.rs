use crate::support::{FakeServer, Reply, arena, arena_command, health_report, problem};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

#[test]
fn the_worst_channels_come_first_and_the_exit_code_says_how_bad_it_is() {
    for (worst, name) in [(0, "healthy"), (1, "warning"), (2, "critical")] {
        let server = FakeServer::answering(200, health_report(worst));
        let report = arena(Some(&server), &["channels", "health"]);
        assert_eq!(report.code, Some(worst.into()), "{}", report.stderr);
        insta::assert_snapshot!(format!("health-{name}"), report.stdout);
        assert_eq!(server.lines(), ["GET /api/health"]);
    }
}

#[test]
fn json_is_the_servers_own() {
    let body = health_report(2);
    let server = FakeServer::answering(200, body.clone());
    let report = arena(Some(&server), &["channels", "health", "--output", "json"]);
    assert_eq!((report.code, report.stdout), (Some(2), format!("{body}\n")));
}

#[test]
fn whatever_is_no_report_cannot_tell() {
    for (status, body) in [
        (503, problem(503, "overloaded", "too many requests")),
        (502, "<html>Bad Gateway</html>".to_owned()),
        (200, "{}".to_owned()),
        (200, "pong".to_owned()),
        (302, String::new()),
    ] {
        let server = FakeServer::answering(status, body.clone());
        let report = arena(Some(&server), &["channels", "health"]);
        assert_eq!(report.code, Some(3), "{status} {body}: {}", report.stdout);
        assert!(report.stderr.starts_with("error: ") && report.stdout.is_empty());
    }
    // Wrong usage must not look like a verdict either.
    for args in [&["channels", "health", "--bogus"][..], &["--server", "nowhere", "channels", "health"]] {
        assert_eq!(arena(None, args).code, Some(3), "{args:?}");
    }
}

#[test]
fn a_watch_goes_on_through_an_outage_and_ends_with_the_last_level() {
    let turn = AtomicU8::new(0);
    let server = FakeServer::start(move |_| match turn.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Json(200, health_report(2)),
        1 => Reply::Json(500, problem(500, "internal", "the store is away")),
        _ => Reply::Json(200, health_report(1)),
    });
    let mut command = arena_command(&["channels", "health", "--watch", "--server", &server.url()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "verdict   critical"));
    assert!(lines.any(|line| line == "verdict   warning"));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
