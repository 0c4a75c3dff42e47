//! `arena fleet run` as a process of one test, and what can be asked of it.

use super::gateway::{Gateway, SERVICE};
use super::support::{PATIENCE, arena, get, post, signal};
use arena_testing::{TempDir, free_port, wait_until};
use serde_json::{Value, json};
use std::fs::File;
use std::process::{Child, ExitStatus, Stdio};

/// The lobby of all tests.
pub const LOBBY: &str = "lobby:main";

/// Starts that a test can wait for. Delays after failures are as they come.
const QUICK: [(&str, &str); 2] =
    [("ARENA_FLEET__STAGGER_MIN_MS", "5"), ("ARENA_FLEET__STAGGER_MAX_MS", "10")];

/// What the environment tells the bot service besides its own settings.
const FOREIGN: [&str; 7] = [
    "SUPABASE_URL",
    "SUPABASE_SERVICE_ROLE_KEY",
    "SUPABASE_JWT_SECRET",
    "BOT_MIN_COUNT",
    "BOT_MAX_COUNT",
    "BOT_TARGET_PERCENTAGE",
    "MAINTENANCE_INTERVAL_MS",
];

/// A bot service that can be killed and started again.
pub struct Fleet {
    dir: TempDir,
    settings: Vec<(String, String)>,
    port: u16,
    child: Option<Child>,
}

/// A roster of bots of one kind that type faster than anybody can wait, and the settings that name it.
pub struct QuickBots {
    dir: TempDir,
}

impl QuickBots {
    /// So many, with this brain.
    pub fn new(count: usize, brain: &str) -> QuickBots {
        const ADA: &str = include_str!("../../../arena-fleet/personas/ada.toml");
        let dir = TempDir::new("roster").unwrap();
        let quick = ADA.replacen("name = \"ada\"", "name = \"quick\"", 1).replacen(
            "think_ms = [400, 1400]",
            "think_ms = [1, 2]\nat_least_ms = 1\nat_most_ms = 50",
            1,
        );
        assert!(quick.contains("at_most_ms = 50"), "the persona has changed");
        std::fs::write(dir.path().join("quick.toml"), quick).unwrap();
        let bot = |n| json!({ "id": format!("bot-{n}"), "name": format!("Bot {n}"), "persona": "quick", "brain": brain });
        let roster: Value = (0..count).map(bot).collect();
        std::fs::write(dir.path().join("roster.json"), roster.to_string()).unwrap();
        QuickBots { dir }
    }

    /// Where the service finds them.
    pub fn settings(&self) -> [(&'static str, String); 2] {
        let path = |name: &str| self.dir.path().join(name).to_str().unwrap().to_owned();
        [("ARENA_FLEET__ROSTER", path("roster.json")), ("ARENA_FLEET__PERSONAS", path(""))]
    }
}

/// A key that lets a bot service in. It is nobody's, so that each connection counts as somebody else's.
pub fn key(gateway: &Gateway) -> String {
    gateway.token_with(&["--role", SERVICE, "--ttl", "1h"])
}

impl Fleet {
    /// Always so many bots at this gateway.
    pub fn of(bots: usize, gateway: &Gateway) -> Fleet {
        Fleet::with(bots, &gateway.endpoint(), &key(gateway), &[])
    }

    /// Always so many bots at this endpoint, with settings by the names of their variables.
    pub fn with(bots: usize, endpoint: &str, key: &str, settings: &[(&str, String)]) -> Fleet {
        let count = bots.to_string();
        let own = [
            ("ARENA_FLEET__ENDPOINT", endpoint),
            ("ARENA_FLEET__APIKEY", key),
            ("ARENA_FLEET__MIN", &count),
            ("ARENA_FLEET__MAX", &count),
            ("ARENA_FLEET__MAINTENANCE_MS", "250"),
        ];
        let more = settings.iter().map(|(name, value)| (*name, value.as_str()));
        Fleet::run(&own.into_iter().chain(more).collect::<Vec<_>>())
    }

    /// With these settings and no others but for those of [`QUICK`].
    pub fn run(settings: &[(&str, &str)]) -> Fleet {
        let all = QUICK.iter().chain(settings).map(|(name, value)| ((*name).into(), (*value).into()));
        let dir = TempDir::new("fleet").unwrap();
        let mut fleet = Fleet { dir, settings: all.collect(), port: free_port(), child: None };
        fleet.launch();
        fleet
    }

    /// Starts it and waits until it answers.
    pub fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut command = arena();
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.args(["fleet", "run", "--listen", &self.address()]).env("ARENA_DATA_DIR", self.dir.path());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        wait_until(PATIENCE, "the bot service answers", || {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?}: {}", self.log());
            self.try_get("/stats").is_some()
        });
    }

    /// Where it answers.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A GET that may fail.
    pub fn try_get(&self, path: &str) -> Option<(u16, Value)> {
        get(&self.address(), path)
    }

    /// What it says of itself.
    pub fn stats(&self) -> Value {
        let (status, stats) = self.try_get("/stats").unwrap();
        assert_eq!(status, 200, "{stats}");
        stats
    }

    /// A POST that must succeed.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = post(&self.address(), path, body).unwrap();
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer
    }

    /// Has a bot talk there; which one.
    pub fn send(&self, conversation: &str, bot: Option<&str>) -> String {
        let sent = self.post("/talks", &json!({ "conversation": conversation, "bot": bot }));
        sent["bot"].as_str().unwrap().to_owned()
    }

    /// Waits until its report is so.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until(PATIENCE, what, || {
                last = self.stats();
                holds(&last)
            });
        }));
        assert!(held.is_ok(), "in vain: {what}; its report: {last:#}; its log: {}", self.log());
        last
    }

    /// Ends the process at once, as a power cut would.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks the process to end, and waits for it.
    pub fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        signal(&child, "TERM");
        child.wait().unwrap()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the bot service's log:\n{}", self.log());
        }
    }
}
