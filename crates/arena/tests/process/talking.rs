//! Conversations by the command line against a real server.

use super::support::{Arena, PATIENCE, arena};
use arena_testing::{TestDatabase, wait_until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

fn command(server: &Arena, args: &[&str]) -> Command {
    let mut command = arena();
    command.args(["--server", &format!("http://{}", server.address()), "--output", "json"]).args(args);
    command
}

/// Runs it and reads what it prints.
fn run(server: &Arena, args: &[&str]) -> Value {
    let Output { status, stdout, stderr } = command(server, args).output().unwrap();
    assert!(status.success(), "{args:?}: {}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).unwrap()
}

fn say(server: &Arena, text: &str) {
    let said = json!({"author": "ada", "text": text});
    assert_eq!(server.try_post("/api/conversations/tea/messages", &said).unwrap().0, 201);
}

/// The offsets of the lines that a follower prints.
fn offsets(follower: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.map(|line| serde_json::from_str::<Value>(&line).unwrap()["offset"].as_u64().unwrap())
}

#[test]
fn an_operator_runs_a_conversation_by_the_command_line_alone() {
    let server = Arena::start(TestDatabase::sqlite());
    let tea = |args: &[&str]| run(&server, &[&["conversations"], args].concat());
    run(&server, &["budgets", "set", "owner:olga", "--max-messages", "10"]);
    tea(&[
        "create",
        "tea",
        "--participant",
        "ada",
        "--participant",
        "bo",
        "--max-messages",
        "1",
        "--owner",
        "olga",
    ]);
    assert_eq!(tea(&["say", "tea", "Hello", "--as", "ada"])["exhausted"], "total_limit");
    let refused =
        command(&server, &["conversations", "say", "tea", "Me too", "--as", "bo"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(why.contains("code total_limit (409)"), "{why}");
    assert_eq!(tea(&["capacity", "tea"])["exhausted"], "total_limit");
    assert_eq!(tea(&["list", "--exhausted", "true"])["items"][0]["id"], "tea");
    assert_eq!(tea(&["top-up", "tea", "--messages", "2"])["exhausted"], Value::Null);
    tea(&["say", "tea", "Me too", "--as", "bo"]);
    assert_eq!(tea(&["close", "tea"])["exhausted"], "closed_by_moderator");
    assert_eq!(tea(&["reopen", "tea"])["exhausted"], Value::Null);
    let log = tea(&["messages", "tea", "--all"]);
    let said = log["items"].as_array().unwrap().iter().filter(|line| line["event"] == "message").count();
    assert_eq!(said, 2);
    assert_eq!(run(&server, &["budgets", "show", "owner:olga"])["used"]["messages"], 2);
    tea(&["delete", "tea", "--yes"]);
    assert_eq!(tea(&["list"])["items"], json!([]));
}

#[test]
fn a_follower_goes_on_where_it_was_when_its_server_was_killed() {
    let mut server = Arena::start(TestDatabase::sqlite());
    server.post("/api/conversations", &json!({"id": "tea"}));
    let follow = ["conversations", "messages", "tea", "--follow", "--count", "7"];
    let mut follower =
        command(&server, &follow).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut seen = offsets(&mut follower);
    for text in ["1", "2", "3"] {
        say(&server, text);
    }
    assert_eq!(seen.by_ref().take(4).collect::<Vec<_>>(), [1, 2, 3, 4]);
    server.kill();
    server.launch();
    for text in ["4", "5", "6"] {
        say(&server, text);
    }
    assert_eq!(seen.collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(follower.wait().unwrap().code(), Some(0));
}

#[test]
fn followers_do_not_hold_up_the_end_of_their_server() {
    let mut server = Arena::start(TestDatabase::sqlite());
    server.post("/api/conversations", &json!({"id": "tea"}));
    let mut followers: Vec<Child> = (0..3)
        .map(|_| {
            let follow = ["conversations", "messages", "tea", "--follow"];
            command(&server, &follow).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for follower in &mut followers {
        assert_eq!(offsets(follower).next(), Some(1));
    }
    assert_eq!(server.interrupt().code(), Some(0), "in time");
    for mut follower in followers {
        follower.kill().unwrap();
        wait_until(PATIENCE, "the follower is gone", || follower.try_wait().unwrap().is_some());
    }
}
