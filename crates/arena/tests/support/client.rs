//! A published client in a process of its own: it gets commands, and tells what it saw.

use super::support::PATIENCE;
use arena_testing::TempDir;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Instant;

/// Where the installed clients are, if not in the target directory.
const ENV_CLIENTS: &str = "ARENA_TEST_CLIENTS";

/// What a client has seen and the test has not looked at yet. A client that sees more waits: its pipe is full.
const EVENTS: usize = 1024;

/// A published client and the version of the protocol that it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `@supabase/realtime-js`, protocol 1.0.0.
    RealtimeJs1,
    /// `@supabase/realtime-js`, protocol 2.0.0.
    RealtimeJs2,
    /// `phoenix`, protocol 2.0.0.
    Phoenix,
    /// PyPI's `realtime`, protocol 1.0.0.
    Python,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::RealtimeJs1, Kind::RealtimeJs2, Kind::Phoenix, Kind::Python];

    /// Those that show their user all that a frame holds; Python's models drop what they do not know.
    pub const TELLING: [Kind; 3] = [Kind::RealtimeJs1, Kind::RealtimeJs2, Kind::Phoenix];

    /// Those that send over HTTP.
    pub const WITH_HTTP: [Kind; 3] = [Kind::RealtimeJs1, Kind::RealtimeJs2, Kind::Python];

    fn command(self) -> Command {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/realtime/clients");
        let installed = installed_clients();
        let (mut command, script) = match self {
            Kind::RealtimeJs1 | Kind::RealtimeJs2 => (Command::new("node"), "realtime_js.cjs"),
            Kind::Phoenix => (Command::new("node"), "phoenix_js.cjs"),
            Kind::Python => (Command::new(installed.join("python/bin/python")), "realtime_py.py"),
        };
        command.arg(scripts.join(script)).env("NODE_PATH", installed.join("node/node_modules"));
        command
    }

    fn version(self) -> &'static str {
        match self {
            Kind::RealtimeJs1 | Kind::Python => "1.0.0",
            Kind::RealtimeJs2 | Kind::Phoenix => "2.0.0",
        }
    }
}

/// Where `cargo xtask test` has installed the clients.
fn installed_clients() -> PathBuf {
    let dir = std::env::var_os(ENV_CLIENTS).map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("realtime-clients"),
        PathBuf::from,
    );
    let there = ["python/bin/python", "node/node_modules"].iter().all(|part| dir.join(part).exists());
    assert!(there, "the clients are not installed in {}: run `cargo xtask clients`", dir.display());
    dir
}

/// One client with one connection.
pub struct Client {
    kind: Kind,
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Value>,
    seen: Vec<Value>,
    /// What `expect` has not returned yet, by its place in `seen`.
    fresh: Vec<usize>,
    dir: TempDir,
}

impl Client {
    /// Starts a client for an endpoint such as `ws://127.0.0.1:4000/socket`. Does not wait for it: commands can be
    /// given at once, and several clients start side by side.
    pub fn start(kind: Kind, endpoint: &str, token: Option<&str>) -> Client {
        let dir = TempDir::new("client").unwrap();
        let log = File::create(dir.path().join("stderr")).unwrap();
        let mut command = kind.command();
        command.args([endpoint, kind.version()]).args(token);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("could not start {command:?}: {error}"));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let (events, seen, fresh) = (read(stdout), Vec::new(), Vec::new());
        Client { kind, child, stdin, events, seen, fresh, dir }
    }

    /// Which client it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Gives a command; `what` is an object, and `verb` names what to do.
    pub fn tell(&mut self, verb: &str, mut what: Value) {
        what["do"] = json!(verb);
        writeln!(self.stdin.as_mut().unwrap(), "{what}").unwrap();
    }

    /// Joins a topic and waits until the client reports that it is subscribed.
    pub fn join(&mut self, topic: &str, config: Value) {
        self.join_with(topic, json!({ "config": config }));
    }

    /// Joins with more than a config, such as `presence` or `resume`, and waits until it is subscribed.
    pub fn join_with(&mut self, topic: &str, mut what: Value) {
        what["topic"] = json!(topic);
        self.tell("join", what);
        self.subscribed(topic);
    }

    /// Waits for the next report that the topic is subscribed.
    pub fn subscribed(&mut self, topic: &str) {
        let status = self.status(topic);
        assert_eq!(status["status"], "SUBSCRIBED", "{:?}: {status}", self.kind);
    }

    /// Waits for the next report on the topic's state.
    pub fn status(&mut self, topic: &str) -> Value {
        self.expect("a status", |event| event["saw"] == "status" && event["topic"] == topic)
    }

    /// Sends a broadcast and returns what the client says has become of it.
    pub fn send(&mut self, topic: &str, event: &str, payload: Value) -> Value {
        self.tell("send", json!({ "topic": topic, "event": event, "payload": payload }));
        self.expect("the sending's result", |seen| seen["saw"] == "sent" && seen["event"] == event)["result"]
            .take()
    }

    /// Sends a broadcast and returns its reply: `status` and `response`.
    pub fn ask(&mut self, topic: &str, event: &str, payload: Value) -> Value {
        self.tell("ask", json!({ "topic": topic, "event": event, "payload": payload }));
        self.expect("the reply", |seen| seen["saw"] == "reply" && seen["event"] == event)
    }

    /// Waits for a broadcast with this event's name.
    pub fn broadcast(&mut self, topic: &str, event: &str) -> Value {
        self.expect(&format!("the broadcast {event}"), |seen| {
            seen["saw"] == "broadcast" && seen["topic"] == topic && seen["event"] == event
        })
    }

    /// All the broadcasts with this event's name that were seen so far.
    pub fn broadcasts(&self, event: &str) -> Vec<&Value> {
        self.seen.iter().filter(|seen| seen["saw"] == "broadcast" && seen["event"] == event).collect()
    }

    /// The last thing of its sort that was seen so far.
    #[track_caller]
    pub fn last(&self, saw: &str) -> &Value {
        self.seen
            .iter()
            .rfind(|event| event["saw"] == saw)
            .unwrap_or_else(|| panic!("no {saw}{}", self.story()))
    }

    /// Waits for the first thing seen that fits and was not returned before. What does not fit stays: frames
    /// that do not depend on each other may come in any order.
    ///
    /// # Panics
    /// When the client ends, cannot take a frame, or sees nothing that fits for a long time.
    #[track_caller]
    pub fn expect(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.fresh.iter().position(|place| fits(&self.seen[*place])) {
                return self.seen[self.fresh.remove(found)].clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) if event["saw"] == "fault" => {
                    panic!("{:?} could not take a frame: {}{}", self.kind, event["error"], self.story())
                }
                Ok(event) => {
                    self.fresh.push(self.seen.len());
                    self.seen.push(event);
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{:?} waited in vain for {what}{}", self.kind, self.story())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{:?} ended while it waited for {what}{}", self.kind, self.story())
                }
            }
        }
    }

    /// Ends the process at once, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn story(&self) -> String {
        let seen: Vec<String> = self.seen.iter().map(Value::to_string).collect();
        let stderr = fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default();
        format!("\nit saw:\n{}\nits stderr:\n{stderr}", seen.join("\n"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A client ends with its input; whatever holds it up is not what is tested.
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(stdout: ChildStdout) -> Receiver<Value> {
    let (sender, events) = sync_channel(EVENTS);
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let event =
                serde_json::from_str(&line).unwrap_or_else(|_| json!({ "saw": "fault", "error": line }));
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    events
}
