//! What the fleet tells of itself: the shape of `/stats`.

use crate::brain::ModelStats;
use crate::monitor::MonitorSnapshot;
use serde::{Deserialize, Serialize};

/// What the manager does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It keeps as many bots as are wanted.
    Running,
    /// Nothing starts and nothing stops.
    Paused,
    /// All bots leave, talkers when they have finished; then it is paused.
    Draining,
    /// It ends.
    Stopping,
}

/// Who is in the lobby.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LobbyReport {
    /// Its topic.
    pub topic: String,
    /// Whether it can be read at present. While it cannot, nobody is counted.
    pub joined: bool,
    /// Humans that are there now.
    pub humans: usize,
    /// Bots of this fleet that are there, as the lobby shows them; `None` where it tells a number only.
    pub own_bots: Option<usize>,
    /// Bots of others that are there; of fleets that announce themselves, where it tells a number only.
    pub other_bots: Option<usize>,
    /// Whether it tells a number only: humans are then those that are not bots of this fleet or of one that announces
    /// itself.
    pub occupancy: bool,
}

/// How many bots there should be, and what is done about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManagerReport {
    /// What it does.
    pub mode: Mode,
    /// Bots that there should be.
    pub target: usize,
    /// The number that an operator set; `None`: it follows the humans.
    pub pinned: Option<usize>,
    /// The least target.
    pub min: usize,
    /// The greatest target.
    pub max: usize,
    /// Bots for each hundred humans.
    pub target_percent: u32,
    /// Starts that are still to be made.
    pub starts_waiting: usize,
    /// The time that is left between two starts at present.
    pub start_gap_ms: u64,
    /// Ticks since the start.
    pub ticks: u64,
    /// When the last tick was, in milliseconds since 1970; `None` before the first.
    pub last_tick_ms: Option<u64>,
    /// How often it ticks.
    pub maintenance_every_ms: u64,
    /// Why there are less than half as many bots as there should be, for longer than it takes to start them; `None`: there
    /// are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<String>,
    /// Identities of the roster that cool off after a failure.
    pub cooling: usize,
    /// Identities that another fleet runs in the same lobby.
    pub taken_elsewhere: usize,
    /// Who is in the lobby.
    pub lobby: LobbyReport,
}

/// Whether the endpoint is tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    /// By everybody.
    #[default]
    Closed,
    /// By nobody, for a while.
    Open,
    /// By one, for all.
    HalfOpen,
}

impl Breaker {
    /// All of them.
    pub const ALL: [Breaker; 3] = [Breaker::Closed, Breaker::Open, Breaker::HalfOpen];

    /// The name in reports and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Breaker::Closed => "closed",
            Breaker::Open => "open",
            Breaker::HalfOpen => "half_open",
        }
    }
}

/// Why nothing is tried any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// The failure's class.
    pub class: String,
    /// Its code.
    pub code: String,
    /// The endpoint's words.
    pub detail: String,
}

/// Connections and channels, counted when they are asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolReport {
    /// Connections that work.
    pub connections: usize,
    /// Connections that wait for their turn.
    pub waiting: usize,
    /// Connections that are being made.
    pub connecting: usize,
    /// Channels that have a place on a connection.
    pub channels: usize,
    /// Channels that wait for a place, because there are as many connections as may be.
    #[serde(default)]
    pub without_place: usize,
    /// Channels that are looked after, with a place or without.
    pub supervised: usize,
    /// Whether the endpoint is tried.
    pub breaker: Breaker,
    /// Connects per second that are allowed now: less than what is set after refusals.
    pub connects_per_sec: f64,
    /// Joins per second that are allowed now.
    pub joins_per_sec: f64,
    /// Why nothing is tried any more, until somebody resumes.
    pub halted: Option<Halt>,
}

/// Everything there is to tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetStats {
    /// This run of the fleet, as its bots show it in presence.
    pub instance: String,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: u64,
    /// The manager.
    pub manager: ManagerReport,
    /// The pool: connections, channels, waiting, rates, breaker.
    pub pool: PoolReport,
    /// What the model of `llm` bots was asked and what that has cost; not there where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelStats>,
    /// Bots, connections, response times, errors.
    #[serde(flatten)]
    pub monitor: MonitorSnapshot,
}

/// Whether the fleet does its work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether it does.
    pub healthy: bool,
    /// What is wrong.
    pub reasons: Vec<String>,
}
