//! A server process of one test, and what can be asked of it.

use arena_testing::{TempDir, TestDatabase, free_port, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test, without the surroundings' settings.
pub fn arena() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arena"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ARENA_")) {
        command.env_remove(name);
    }
    command
}

/// Sends a signal by name, such as `INT`.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

/// A server that can be killed and started again over the same data.
pub struct Arena {
    dir: TempDir,
    database: TestDatabase,
    settings: Vec<(String, String)>,
    port: u16,
    child: Option<Child>,
}

impl Arena {
    /// Starts a server over a database of its own.
    pub fn start(database: TestDatabase) -> Arena {
        Arena::start_with(database, &[])
    }

    /// The same with settings, by the names of their environment variables.
    pub fn start_with(database: TestDatabase, settings: &[(&str, &str)]) -> Arena {
        let dir = TempDir::new("process").unwrap();
        let settings =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut arena = Arena { dir, database, settings, port: free_port(), child: None };
        // Between looking for a free port and listening on it somebody else may take it.
        for _ in 0..4 {
            if arena.try_launch() {
                return arena;
            }
            arena.port = free_port();
        }
        arena.launch();
        arena
    }

    /// Starts the server and waits until it answers.
    pub fn launch(&mut self) {
        assert!(self.try_launch(), "the server ended before it answered");
    }

    /// Whether it came to answer; one that ended is gone.
    fn try_launch(&mut self) -> bool {
        assert!(self.child.is_none(), "it runs already");
        let mut child = self.command_at(&self.address()).spawn().unwrap();
        let mut ended = false;
        wait_until(PATIENCE, "the server answers", || {
            ended = child.try_wait().unwrap().is_some();
            ended || self.try_get("/readyz").is_some_and(|(status, _)| status == 200)
        });
        self.child = (!ended).then_some(child);
        !ended
    }

    /// The command that starts a server over this one's data.
    pub fn command_at(&self, address: &str) -> Command {
        let mut command = arena();
        command.args(["serve", "--log", "warn", "--listen", address]);
        command.arg("--data-dir").arg(self.data_dir()).args(["--database-url", self.database.url()]);
        // Players need no token, and their seats do not lapse before a slow machine is done.
        command.env("ARENA_REALTIME__ANONYMOUS", "loopback").env("ARENA_REALTIME__RESERVE_SECS", "600");
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where it keeps its data.
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Ends the process at once, as a power cut would.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks the process to end, and waits for it.
    pub fn interrupt(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        signal(&child, "INT");
        child.wait().unwrap()
    }

    /// A GET that may fail.
    pub fn try_get(&self, path: &str) -> Option<(u16, Value)> {
        get(&self.address(), path)
    }

    /// A GET that must succeed.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A POST that may fail, without an answer too.
    pub fn try_post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        post(&self.address(), path, body)
    }

    /// A POST that must succeed.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_post(path, body).unwrap();
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer
    }

    /// A DELETE that must succeed.
    pub fn delete(&self, path: &str) {
        let (status, answer) =
            answer(agent().delete(format!("http://{}{path}", self.address())).call()).unwrap();
        assert!((200..300).contains(&status), "{path}: {answer}");
    }

    /// Every row of a list.
    pub fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit=1000{cursor}"));
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                None => return items,
                Some(next) => cursor = format!("&cursor={}", next.replace(' ', "%20")),
            }
        }
    }

    /// Waits until this many bots are live, then checks that nothing is lost and nothing double: every bot is
    /// stored once, sits in one channel, and has one body, in that channel's world.
    pub fn check_whole(&self, bots: usize) {
        wait_until(PATIENCE, "every bot is live", || {
            let report = self.get("/api/health");
            report["bots"]["live"].as_u64() == Some(bots as u64) && self.bodies().len() == bots
        });
        let stored = self.all("/api/bots");
        assert_eq!(stored.len(), bots);
        let bodies = self.bodies();
        for bot in &stored {
            let found = &bodies[bot["id"].as_str().unwrap()];
            assert_eq!(found, &[bot["channel"].as_str().unwrap()], "bodies of {}", bot["name"]);
        }
        for channel in self.all("/api/channels") {
            assert!(channel["bots"].as_u64() <= channel["max_bots"].as_u64(), "{channel}");
            let seated = stored.iter().filter(|bot| bot["channel"] == channel["name"]).count();
            assert_eq!(channel["bots"].as_u64(), Some(seated as u64), "{channel}");
        }
    }

    /// In which channels' worlds each bot has a body.
    fn bodies(&self) -> BTreeMap<String, Vec<String>> {
        let mut bodies: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for world in self.all("/api/worlds") {
            let path = format!("/api/worlds/{}", world["id"].as_str().unwrap());
            // A world may end while we look.
            let Some((200, view)) = self.try_get(&path) else { continue };
            for resident in view["resident_list"].as_array().unwrap() {
                let channel = world["channel"].as_str().unwrap().to_owned();
                bodies.entry(resident["bot"].as_str().unwrap().to_owned()).or_default().push(channel);
            }
        }
        bodies
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A GET that may fail.
pub fn get(address: &str, path: &str) -> Option<(u16, Value)> {
    answer(agent().get(format!("http://{address}{path}")).call())
}

/// A POST to a server that may die meanwhile.
pub fn post(address: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let request = agent().post(format!("http://{address}{path}")).header("content-type", "application/json");
    answer(request.send(body.to_string()))
}

/// A connection that is kept between requests.
pub struct Line {
    agent: ureq::Agent,
    server: String,
}

impl Line {
    /// To the server at this address; it is made with the first request.
    pub fn to(address: &str) -> Line {
        Line { agent: agent(), server: format!("http://{address}") }
    }

    /// A POST to a server that may die meanwhile.
    pub fn post(&mut self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.agent.post(format!("{}{path}", self.server));
        answer(request.header("content-type", "application/json").send(body.to_string()))
    }
}

/// A roster of this many bots.
pub fn roster(bots: usize) -> Value {
    (0..bots).map(|n| json!({ "name": format!("Bot {n:05}"), "home_zone": "suburb" })).collect()
}

fn agent() -> ureq::Agent {
    let config =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).proxy(None);
    config.build().into()
}

fn answer(outcome: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<(u16, Value)> {
    let mut answer = outcome.ok()?;
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(64 * 1024 * 1024).read_to_string().ok()?;
    Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
}
