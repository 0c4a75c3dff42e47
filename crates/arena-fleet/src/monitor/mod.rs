//! How each bot is: what the pool, the channels and the bots report, and what it adds up to.

pub(crate) mod alert;
mod histogram;
mod patterns;
mod records;
mod snapshot;

pub use snapshot::{
    BotReport, BotState, Bucket, ChannelReport, ConnectionReport, ErrorPattern, FaultReport, LineReport,
    MonitorSnapshot, PhaseName, PhaseReport, ResponseTimes, StateReport, Totals,
};

use crate::identity::Identity;
use arena_core::fleet::Fault;
use histogram::Histogram;
use records::{Bot, Line, Records};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// What was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// A connection with its handshake.
    Connect,
    /// A join.
    Join,
    /// A push.
    Push,
    /// A heartbeat.
    Heartbeat,
}

impl Answered {
    /// All of them.
    pub const ALL: [Answered; 4] = [Answered::Connect, Answered::Join, Answered::Push, Answered::Heartbeat];

    /// The name in reports and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Answered::Connect => "connect",
            Answered::Join => "join",
            Answered::Push => "push",
            Answered::Heartbeat => "heartbeat",
        }
    }
}

/// What a connection or a channel is at.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// It waits for its turn: a permit, a free place, the probe of a dead endpoint.
    Waiting,
    /// It connects, or joins.
    Opening,
    /// It works.
    Open,
    /// It failed, and will be tried again.
    BackingOff {
        /// Why.
        fault: Fault,
        /// Failures in a row.
        attempt: u32,
        /// After what time it is tried again.
        after: Duration,
    },
    /// It was closed on purpose.
    Closed,
    /// It failed for good.
    Failed(Fault),
}

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A connection of the pool, by its number.
    Connection(u64),
    /// A bot's channel.
    Channel {
        /// The bot's id.
        bot: Arc<str>,
        /// The topic.
        topic: Arc<str>,
    },
}

/// How a bot is at a moment, for plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotNow {
    /// Its id.
    pub id: Arc<str>,
    /// Its state.
    pub state: BotState,
    /// What it was told to be last, whether its channels are joined or not.
    pub told: BotState,
    /// For how long it was told so.
    pub lasted: Duration,
    /// For how long it has been running.
    pub age: Duration,
    /// The conversation that it is in.
    pub conversation: Option<Box<str>>,
}

/// Takes reports. Clones share it; no call waits for anything. Everything kept is bounded: a history has 16 entries, a
/// text 200 bytes, and there are 128 patterns of errors and 20 ended connections at most.
#[derive(Debug, Clone)]
pub struct Monitor {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// When it began, by both clocks: reports tell times of the day, and tests stop only the other clock.
    began: Instant,
    began_ms: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    records: Records,
    histograms: BTreeMap<Answered, Histogram>,
}

impl Default for Monitor {
    fn default() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let shared =
            Shared { began: Instant::now(), began_ms: since_1970.as_millis() as u64, kept: Mutex::default() };
        Monitor { shared: Arc::new(shared) }
    }
}

impl Monitor {
    /// Something is in another phase now.
    pub fn phase(&self, subject: &Subject, phase: Phase) {
        let now_ms = self.now_ms();
        self.kept().records.phase(subject, phase, now_ms);
    }

    /// Something was answered.
    pub fn answered(&self, what: Answered, took: Duration) {
        self.kept().histograms.entry(what).or_default().add(took);
    }

    /// Something is no more; what is known of it goes, but for the last connections.
    pub fn forget(&self, subject: &Subject) {
        let now_ms = self.now_ms();
        self.kept().records.forget(subject, now_ms);
    }

    /// A bot was started.
    pub fn bot_started(&self, identity: Arc<Identity>) {
        let now_ms = self.now_ms();
        self.kept().records.bot_started(identity, now_ms);
    }

    /// A bot is in another state.
    pub fn bot_is(&self, bot: &str, state: BotState, conversation: Option<&str>) {
        let now_ms = self.now_ms();
        self.kept().records.bot_is(bot, state, conversation, now_ms);
    }

    /// A bot failed: it crashed, or has lost every channel for good.
    pub fn bot_failed(&self, bot: &str, fault: &Fault) {
        let now_ms = self.now_ms();
        self.kept().records.bot_failed(bot, fault, now_ms);
    }

    /// A bot's task is no more, for this reason. One that has told why it failed has told more.
    pub fn bot_crashed(&self, bot: &str, fault: &Fault) {
        let now_ms = self.now_ms();
        self.kept().records.bot_crashed(bot, fault, now_ms);
    }

    /// A bot is no more; what is known of it and its channels goes.
    pub fn bot_gone(&self, bot: &str) {
        self.kept().records.bots.remove(bot);
    }

    /// A failure that belongs to no connection, channel or bot is counted with the others.
    pub fn fault(&self, fault: &Fault) {
        let now_ms = self.now_ms();
        self.kept().records.patterns.add(fault, now_ms);
    }

    /// How each bot is, by id.
    pub fn bots_now(&self) -> Vec<BotNow> {
        let now_ms = self.now_ms();
        let since = |then: u64| Duration::from_millis(now_ms.saturating_sub(then));
        let now = |(id, bot): (&Arc<str>, &Bot)| BotNow {
            id: id.clone(),
            state: bot.state(),
            told: bot.told(),
            lasted: since(bot.told_ms()),
            age: since(bot.started_ms()),
            conversation: bot.conversation().map(Box::from),
        };
        self.kept().records.bots.iter().map(now).collect()
    }

    /// Bots that have come into this topic: whether or not they are on their way back at present, and without those that
    /// are not let in.
    pub fn came_in(&self, topic: &str) -> usize {
        self.kept().records.bots.values().filter(|bot| bot.told().is_active() && bot.let_in(topic)).count()
    }

    /// The conversation that a bot is in.
    pub fn conversation_of(&self, bot: &str) -> Option<Box<str>> {
        self.kept().records.bots.get(bot)?.conversation().map(Box::from)
    }

    /// What failed how often, the most frequent first.
    pub fn errors(&self) -> Vec<ErrorPattern> {
        self.kept().records.patterns.report()
    }

    /// What it all adds up to.
    pub fn totals(&self) -> Totals {
        totals(&self.kept().records)
    }

    /// Everything.
    pub fn snapshot(&self) -> MonitorSnapshot {
        let mut snapshot = self.summary();
        let kept = self.kept();
        let report = |id: &u64, line: &Line| ConnectionReport { id: *id, line: line.report() };
        snapshot.connections = kept.records.connections.iter().map(|(id, line)| report(id, line)).collect();
        snapshot.ended_connections = kept.records.ended.iter().map(|(id, line)| report(id, line)).collect();
        snapshot.bots = kept.records.bot_reports();
        snapshot
    }

    /// Everything but each connection and each bot.
    pub fn summary(&self) -> MonitorSnapshot {
        let now_ms = self.now_ms();
        let kept = self.kept();
        let times = |what: &Answered| kept.histograms.get(what).map(Histogram::report).unwrap_or_default();
        MonitorSnapshot {
            now_ms,
            totals: totals(&kept.records),
            response_times: Answered::ALL.iter().map(|what| (*what, times(what))).collect(),
            errors: kept.records.patterns.report(),
            connections: Vec::new(),
            ended_connections: Vec::new(),
            bots: Vec::new(),
        }
    }

    /// Milliseconds since 1970, as reports tell time.
    pub fn now_ms(&self) -> u64 {
        self.shared.began_ms + self.shared.began.elapsed().as_millis() as u64
    }

    // Nothing in here panics half way through a change that others rely on, so a poisoned lock is as good as any.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn totals(records: &Records) -> Totals {
    let mut totals = Totals {
        total: records.bots.len(),
        by_state: BotState::ALL.iter().map(|state| (*state, 0)).collect(),
        connections: PhaseName::ALL.iter().map(|phase| (*phase, 0)).collect(),
        channels: PhaseName::ALL.iter().map(|phase| (*phase, 0)).collect(),
        reconnect_attempts: records.reconnect_attempts,
        bots_failed: records.bots_failed,
        ..Totals::default()
    };
    for bot in records.bots.values() {
        let state = bot.state();
        *totals.by_state.entry(state).or_default() += 1;
        totals.active += usize::from(state.is_active());
        totals.failed += usize::from(state == BotState::Failed);
        totals.degraded += usize::from(bot.degraded());
        for line in bot.channels() {
            *totals.channels.entry(line.phase()).or_default() += 1;
        }
    }
    for line in records.connections.values() {
        *totals.connections.entry(line.phase()).or_default() += 1;
    }
    totals
}

#[cfg(test)]
mod tests;
