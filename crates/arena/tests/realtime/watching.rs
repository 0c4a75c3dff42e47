//! `arena watch`, against a server.

use super::gateway::{Gateway, USER};
use super::support::{PATIENCE, arena};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

/// A watcher in a process of its own, and the lines that it prints.
struct Watcher {
    child: Child,
    lines: Receiver<String>,
}

fn watch(gateway: &Gateway, args: &[&str]) -> Command {
    let mut command = arena();
    command.arg("watch").args(args).args(["--server", &format!("http://{}", gateway.address())]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Watcher {
    fn start(gateway: &Gateway, args: &[&str]) -> Watcher {
        let mut child = watch(gateway, args).args(["--output", "json"]).spawn().unwrap();
        // A full queue makes the watcher wait.
        let (sender, lines) = sync_channel(64);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Watcher { child, lines }
    }

    /// The next line about this event.
    fn next(&self, event: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {event} came"));
            let seen: Value = serde_json::from_str(&line).unwrap();
            if seen["event"] == event {
                return seen;
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(gateway: &Gateway, token: &str, text: &str) {
    let message = json!({ "topic": "lobby:a", "event": "chat", "payload": { "text": text } });
    let (status, answer) = gateway.post_as(token, "/api/broadcast", &json!({ "messages": [message] }));
    assert_eq!(status, 202, "{answer}");
}

#[test]
fn a_watcher_hears_what_is_said_and_goes_on_when_the_server_comes_back() {
    let mut gateway = Gateway::start();
    let token = gateway.token("ada", USER, "1h");
    let watcher = Watcher::start(&gateway, &["lobby:a", "--token", &token]);
    watcher.next("joined");
    say(&gateway, &token, "one");
    let heard = watcher.next("chat");
    assert_eq!((&heard["payload"]["text"], &heard["meta"]["offset"]), (&json!("one"), &json!(1)));
    gateway.kill();
    gateway.launch();
    assert_eq!(watcher.next("joined")["payload"]["recovered"], false, "nothing is kept over a restart");
    say(&gateway, &token, "two");
    assert_eq!(watcher.next("chat")["payload"]["text"], "two");
}

#[test]
fn a_watcher_sees_a_world_as_lines_and_ends_when_it_has_seen_enough() {
    let gateway = Gateway::start();
    gateway.post("/api/channels/init", &json!({}));
    gateway.post("/api/bots/import", &super::support::roster(6));
    let output = watch(&gateway, &["world:main", "--count", "3"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("watching world:main\n"), "{text}");
    assert!(text.contains(" residents at tick "), "{text}");
}

#[test]
fn what_cannot_be_watched_is_said_and_not_tried_again() {
    let gateway = Gateway::with(&[("ARENA_REALTIME__ANONYMOUS", "never")]);
    let token = gateway.token("ada", USER, "1h");
    for (args, words) in [
        (vec!["lobby:a"], "arena token create"),
        (vec!["user:bob", "--token", &token], "Unauthorized"),
        (vec!["world:nowhere", "--token", &token], "channel_not_found"),
        (vec!["world:w-0123456789abcdef0123456789abcdef", "--token", &token], "world:<channel>"),
    ] {
        let output = watch(&gateway, &args).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {error}");
        assert!(error.contains(words), "{args:?}: {error}");
    }
}
