//! What can be set, with the defaults of the bot service.

use arena_core::RetryPolicy;
use std::path::PathBuf;
use std::time::Duration;

/// How bots are started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StartMode {
    /// One every 5 to 8 seconds, whatever the endpoint bears.
    #[default]
    Staggered,
    /// Begins like that, is faster with every quick success, and slow again from the first refusal on.
    Adaptive,
}

/// Connections and channels.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolSettings {
    /// Channels of one connection at most: 10, where Supabase allows 100.
    pub channels_per_connection: usize,
    /// Connections at most; a channel that needs one more waits for a free place.
    pub max_connections: usize,
    /// How long a connection with its handshake may take.
    pub connect_timeout: Duration,
    /// How long the answer to a join, a push or a leave may take.
    pub reply_timeout: Duration,
    /// How often a heartbeat is sent; unanswered when the next is due, the connection is dead.
    pub heartbeat_every: Duration,
    /// Connects of the whole process per second, and at once.
    pub connects_per_sec: f64,
    /// See `connects_per_sec`.
    pub connects_burst: u32,
    /// Joins of the whole process per second, and at once.
    pub joins_per_sec: f64,
    /// See `joins_per_sec`.
    pub joins_burst: u32,
    /// Delays after failures.
    pub retry: RetryPolicy,
    /// How long a channel has to be joined until its failures are forgotten.
    pub stable_after: Duration,
    /// Failed connects in a row, of all bots, until only one of them tries.
    pub breaker_failures: u32,
}

impl Default for PoolSettings {
    fn default() -> Self {
        PoolSettings {
            channels_per_connection: 10,
            max_connections: 2_000,
            connect_timeout: Duration::from_secs(8),
            reply_timeout: Duration::from_secs(8),
            heartbeat_every: Duration::from_secs(25),
            connects_per_sec: 50.0,
            connects_burst: 10,
            joins_per_sec: 100.0,
            joins_burst: 20,
            retry: RetryPolicy::default(),
            stable_after: Duration::from_secs(60),
            breaker_failures: 5,
        }
    }
}

/// How many bots there are, and how they come and go.
#[derive(Debug, Clone, PartialEq)]
pub struct ManagerSettings {
    /// Where humans are counted and bots show themselves.
    pub lobby: String,
    /// Bots when nobody is there.
    pub min: usize,
    /// Bots at most.
    pub max: usize,
    /// Bots for each hundred humans.
    pub target_percent: u32,
    /// How often it looks.
    pub maintenance_every: Duration,
    /// Time between two starts: drawn from this range.
    pub stagger: (Duration, Duration),
    /// How starts follow each other.
    pub start: StartMode,
    /// How long a bot that talks may go on after it was told to leave.
    pub drain_deadline: Duration,
    /// How long everything may take at the end.
    pub shutdown_deadline: Duration,
}

impl Default for ManagerSettings {
    fn default() -> Self {
        ManagerSettings {
            lobby: "lobby:main".to_owned(),
            min: 3,
            max: 15,
            target_percent: 30,
            maintenance_every: Duration::from_secs(60),
            stagger: (Duration::from_secs(5), Duration::from_secs(8)),
            start: StartMode::Staggered,
            drain_deadline: Duration::from_secs(60),
            shutdown_deadline: Duration::from_secs(10),
        }
    }
}

/// The chat endpoint of `llm` brains. [`LlmSettings::new`] has the defaults.
#[derive(Clone, PartialEq)]
pub struct LlmSettings {
    /// The base URL, to which `/chat/completions` is added: `https://api.openai.com/v1`.
    pub base_url: String,
    /// The model.
    pub model: String,
    /// The key; a secret. Empty: none is sent.
    pub api_key: String,
    /// How long a reply may take in all (50 s at most), and how long the stream may stall.
    pub timeout: Duration,
    /// See `timeout`.
    pub stall_timeout: Duration,
    /// Tokens of a reply at most.
    pub max_reply_tokens: u64,
    /// Price of a million tokens of prompts, in millionths.
    pub prompt_price_micros: u64,
    /// Price of a million tokens of replies, in millionths.
    pub reply_price_micros: u64,
    /// Tokens that one bot may spend in its life; `None`: no limit.
    pub bot_tokens: Option<u64>,
    /// Money that one bot may spend, in millionths.
    pub bot_cost_micros: Option<u64>,
    /// Tokens that all bots may spend together.
    pub fleet_tokens: Option<u64>,
    /// Money that all bots may spend together, in millionths.
    pub fleet_cost_micros: Option<u64>,
    /// Requests of all bots that may be under way at once; further ones wait for their turn, within `timeout`.
    pub max_requests: usize,
    /// Delays and attempts after refusals and failures that pass, within `timeout`.
    pub retry: RetryPolicy,
    /// Failed replies in a row, of all bots, until only one of them asks and the others are scripted.
    pub breaker_failures: u32,
    /// How long they are scripted then, at first and at most.
    pub breaker_delay: (Duration, Duration),
}

impl LlmSettings {
    /// This model there, without a key, prices and budgets.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> LlmSettings {
        LlmSettings {
            base_url: base_url.into(),
            model: model.into(),
            api_key: String::new(),
            timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(10),
            max_reply_tokens: 300,
            prompt_price_micros: 0,
            reply_price_micros: 0,
            bot_tokens: None,
            bot_cost_micros: None,
            fleet_tokens: None,
            fleet_cost_micros: None,
            max_requests: 8,
            retry: RetryPolicy {
                base: Duration::from_secs(1),
                cap: Duration::from_secs(8),
                max_attempts: 3,
                ..RetryPolicy::default()
            },
            breaker_failures: 3,
            breaker_delay: (Duration::from_secs(5), Duration::from_secs(120)),
        }
    }
}

// The key is a secret.
impl std::fmt::Debug for LlmSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LlmSettings")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// When somebody is told that bots fail.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertSettings {
    /// Where the alert is posted; `None`: nowhere.
    pub webhook: Option<String>,
    /// Share of the wanted bots that are not active, in percent, at which it is.
    pub failed_percent: u32,
    /// How long that has to last.
    pub lasting: Duration,
    /// The least time between two alerts.
    pub every: Duration,
}

impl Default for AlertSettings {
    fn default() -> Self {
        AlertSettings {
            webhook: None,
            failed_percent: 20,
            lasting: Duration::from_secs(60),
            every: Duration::from_secs(900),
        }
    }
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub struct FleetSettings {
    /// Connections and channels.
    pub pool: PoolSettings,
    /// Numbers of bots.
    pub manager: ManagerSettings,
    /// Alerts.
    pub alert: AlertSettings,
    /// Queues of the matchmaker in which idle bots wait for humans, each in one of them; empty: none does. Only a server
    /// of ours has them.
    pub queues: Vec<String>,
    /// The roster's file; `None` for the one that is built in.
    pub roster: Option<PathBuf>,
    /// A directory of personas besides those that are built in.
    pub personas: Option<PathBuf>,
    /// The model; `None`: `llm` bots are scripted.
    pub llm: Option<LlmSettings>,
}
