//! `arena demo` as a newcomer runs it.

use super::support::{PATIENCE, arena, signal};
use arena_testing::{TempDir, wait_until};
use std::process::{Command, Stdio};
use std::time::Duration;

fn demo(dir: &TempDir, args: &[&str]) -> Command {
    let mut command = arena();
    command.args(["demo", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir.path()).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_demo_brings_every_bot_to_life_twice_and_says_how_long_it_took() {
    let dir = TempDir::new("demo").unwrap();
    let output = demo(&dir, &["--exit", "--bots", "120"]).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{err}");
    for expected in ["imported", "placed", "deployed", "healed", "120 bots live again"] {
        assert!(out.contains(expected), "{expected} is missing in {out}");
    }
    for expected in ["agents     5 messages", "1 participant_limit, 1 total_limit", "ends with `exhausted`"] {
        assert!(out.contains(expected), "{expected} is missing in {out}");
    }
    for expected in [
        "12 of 12 in lobby:main",
        "0 reconnects, 0 failures",
        "5 of 5 messages, the log ends with `exhausted`",
    ] {
        assert!(out.contains(expected), "{expected} is missing in {out}");
    }
    for expected in ["met        8 people", "a human    ", "a bot      2 people"] {
        assert!(out.contains(expected), "{expected} is missing in {out}");
    }
    assert!(!err.contains('\u{1b}') && !out.contains('\u{1b}'), "no escape codes without a terminal");

    let again = demo(&dir, &["--exit", "--bots", "120"]).output().unwrap();
    let err = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success() && err.contains("120 were there already"), "{err}");
}

#[test]
fn an_interrupted_demo_ends_cleanly_at_any_moment() {
    for delay_ms in [0, 150, 600, 2_000] {
        let dir = TempDir::new("demo").unwrap();
        let mut child = demo(&dir, &["--bots", "400"]).spawn().unwrap();
        wait_until(PATIENCE, "the demo has begun", || dir.path().join("arena.db.lock").exists());
        std::thread::sleep(Duration::from_millis(delay_ms));
        signal(&child, "INT");
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(130 | 0)), "after {delay_ms} ms: {code:?}");
        // What was stored is whole: the next run goes on from there.
        let next = demo(&dir, &["--exit", "--bots", "400"]).output().unwrap();
        assert!(next.status.success(), "{}", String::from_utf8_lossy(&next.stderr));
    }
}

#[test]
fn a_roster_that_is_wrong_is_refused_before_anything_starts() {
    let dir = TempDir::new("demo").unwrap();
    let roster = dir.path().join("bad.csv");
    std::fs::write(&roster, "name,channel_kind\nAda,MAIN\nBo,CASINO\n").unwrap();
    let output = demo(&dir, &["--exit", "--roster", roster.to_str().unwrap()]).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("row 2") && !dir.path().join("arena.db").exists(), "{err}");
}
