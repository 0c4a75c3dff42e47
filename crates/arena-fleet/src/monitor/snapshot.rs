//! What is told of the fleet. These are the shapes of `/stats`; times are milliseconds since 1970.

use super::Answered;
use arena_core::fleet::{Fault, FaultClass};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a bot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BotState {
    /// It was started and has not come into any of its channels yet.
    Starting,
    /// It is there and has nobody to talk to.
    Idle,
    /// It talks.
    Talking,
    /// It was told to leave and finishes its talk.
    Leaving,
    /// It was there, and at present none of its channels is joined.
    Reconnecting,
    /// It has given up, or crashed; another takes its place.
    Failed,
}

impl BotState {
    /// All states.
    pub const ALL: [BotState; 6] = [
        BotState::Starting,
        BotState::Idle,
        BotState::Talking,
        BotState::Leaving,
        BotState::Reconnecting,
        BotState::Failed,
    ];

    /// The name in reports and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            BotState::Starting => "starting",
            BotState::Idle => "idle",
            BotState::Talking => "talking",
            BotState::Leaving => "leaving",
            BotState::Reconnecting => "reconnecting",
            BotState::Failed => "failed",
        }
    }

    /// Whether it does its work.
    pub fn is_active(self) -> bool {
        matches!(self, BotState::Idle | BotState::Talking | BotState::Leaving)
    }
}

/// The name of a [`Phase`](super::Phase).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseName {
    /// It waits for its turn.
    Waiting,
    /// It connects, or joins.
    Opening,
    /// It works.
    Open,
    /// It failed, and will be tried again.
    BackingOff,
    /// It was closed on purpose.
    Closed,
    /// It failed for good.
    Failed,
}

impl PhaseName {
    /// All phases.
    pub const ALL: [PhaseName; 6] = [
        PhaseName::Waiting,
        PhaseName::Opening,
        PhaseName::Open,
        PhaseName::BackingOff,
        PhaseName::Closed,
        PhaseName::Failed,
    ];

    /// The name in reports and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            PhaseName::Waiting => "waiting",
            PhaseName::Opening => "opening",
            PhaseName::Open => "open",
            PhaseName::BackingOff => "backing_off",
            PhaseName::Closed => "closed",
            PhaseName::Failed => "failed",
        }
    }
}

/// A failure, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultReport {
    /// Its class: `rate_limit`.
    pub class: String,
    /// What equal failures have in common.
    pub code: String,
    /// In words; 200 bytes at most.
    pub detail: String,
    /// What the endpoint asked to wait.
    pub retry_after_ms: Option<u64>,
    /// When it happened.
    pub at_ms: u64,
}

impl FaultReport {
    /// The failure, at this time, its text cut to what is kept.
    pub(crate) fn new(fault: &Fault, at_ms: u64) -> FaultReport {
        FaultReport {
            class: fault.class.as_str().to_owned(),
            code: cut(&fault.code, 64).to_owned(),
            detail: cut(&fault.detail, 200).to_owned(),
            retry_after_ms: fault.retry_after.map(|delay| delay.as_millis() as u64),
            at_ms,
        }
    }

    /// Whether it is of this class.
    pub fn is(&self, class: FaultClass) -> bool {
        self.class == class.as_str()
    }
}

/// The longest beginning of a text that has so many bytes at most and cuts no character.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// One entry of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseReport {
    /// Since when.
    pub at_ms: u64,
    /// Which.
    pub phase: PhaseName,
    /// The failure's code, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
}

/// How a connection or a channel is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineReport {
    /// What it is at.
    pub phase: PhaseName,
    /// Since when.
    pub since_ms: u64,
    /// Failures in a row.
    pub attempts: u32,
    /// When it is tried again, while it backs off.
    pub retry_at_ms: Option<u64>,
    /// The last failure.
    pub last_fault: Option<FaultReport>,
    /// The last 16 phases, oldest first; the last one is the present one.
    pub history: Vec<PhaseReport>,
}

/// A connection of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionReport {
    /// Its number.
    pub id: u64,
    /// How it is.
    #[serde(flatten)]
    pub line: LineReport,
}

/// A channel of a bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelReport {
    /// Its topic.
    pub topic: String,
    /// How it is.
    #[serde(flatten)]
    pub line: LineReport,
}

/// A bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotReport {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its persona.
    pub persona: String,
    /// What makes it speak: `scripted`, `wanderer`, `llm`.
    pub brain: crate::BrainKind,
    /// How it is.
    pub state: BotState,
    /// Since when.
    pub since_ms: u64,
    /// When it was started.
    pub started_at_ms: u64,
    /// Whether it works without some of its channels.
    pub degraded: bool,
    /// The conversation that it is in.
    pub conversation: Option<String>,
    /// Failures in a row, of the channel that has most.
    pub attempts: u32,
    /// The last failure, of any of its channels or its own.
    pub last_fault: Option<FaultReport>,
    /// Its channels.
    pub channels: Vec<ChannelReport>,
    /// Its last 16 states, oldest first; the last one is the present one.
    pub history: Vec<StateReport>,
}

/// One entry of a bot's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateReport {
    /// Since when.
    pub at_ms: u64,
    /// Which.
    pub state: BotState,
}

/// Equal failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorPattern {
    /// Their class.
    pub class: String,
    /// Their code.
    pub code: String,
    /// How many.
    pub count: u64,
    /// When the first was seen.
    pub first_seen_ms: u64,
    /// When the last was seen.
    pub last_seen_ms: u64,
    /// The text of the last one; 200 bytes at most.
    pub sample: String,
}

/// A bound, and how many were within it: cumulative.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// The bound, in milliseconds.
    pub le_ms: f64,
    /// Answers that took no longer.
    pub count: u64,
}

/// How long answers took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ResponseTimes {
    /// Answers.
    pub count: u64,
    /// What they took together, in milliseconds.
    pub sum_ms: f64,
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: f64,
    /// Nineteen of twenty.
    pub p95_ms: f64,
    /// Ninety-nine of a hundred.
    pub p99_ms: f64,
    /// The histogram, a bucket to each doubling. What took longer than the last bound is in `count` only.
    pub buckets: Vec<Bucket>,
}

/// What all of it adds up to. Derived from the states each time, but for the two that say so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Bots that were started and have not ended.
    pub total: usize,
    /// Those that do their work.
    pub active: usize,
    /// Those that failed and were not yet replaced.
    pub failed: usize,
    /// Those that work without some of their channels.
    pub degraded: usize,
    /// Bots by state; states of none are there with 0.
    pub by_state: BTreeMap<BotState, usize>,
    /// Connections by phase; phases of none are there with 0.
    pub connections: BTreeMap<PhaseName, usize>,
    /// Channels of bots by phase; phases of none are there with 0.
    pub channels: BTreeMap<PhaseName, usize>,
    /// How often anything was tried again after a failure, since the start: a counter.
    pub reconnect_attempts: u64,
    /// Bots that failed since the start: a counter.
    pub bots_failed: u64,
}

/// What the monitor knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MonitorSnapshot {
    /// When it was taken.
    pub now_ms: u64,
    /// What it adds up to.
    pub totals: Totals,
    /// How long answers took.
    pub response_times: BTreeMap<Answered, ResponseTimes>,
    /// What failed how often, the most frequent first.
    pub errors: Vec<ErrorPattern>,
    /// Each connection.
    pub connections: Vec<ConnectionReport>,
    /// The last 20 connections that have ended, with their causes, oldest first.
    #[serde(default)]
    pub ended_connections: Vec<ConnectionReport>,
    /// Each bot, by id.
    pub bots: Vec<BotReport>,
}
