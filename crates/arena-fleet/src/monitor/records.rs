//! What is known of each connection, channel and bot.

use super::patterns::Patterns;
use super::snapshot::{
    BotReport, BotState, ChannelReport, FaultReport, LineReport, PhaseName, PhaseReport, StateReport,
};
use super::{Phase, Subject};
use crate::identity::Identity;
use arena_core::fleet::Fault;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Phases that are remembered.
const HISTORY: usize = 16;

/// Connections that have ended and are remembered.
const ENDED: usize = 20;

/// The last entries of something.
#[derive(Debug)]
struct History<T>(VecDeque<T>);

impl<T> Default for History<T> {
    fn default() -> Self {
        History(VecDeque::new())
    }
}

impl<T> History<T> {
    fn push(&mut self, entry: T) {
        if self.0.len() == HISTORY {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }
}

/// A connection or a channel.
#[derive(Debug)]
pub(super) struct Line {
    phase: PhaseName,
    since_ms: u64,
    attempts: u32,
    retry_at_ms: Option<u64>,
    last_fault: Option<Box<FaultReport>>,
    /// Whether it has worked since it was closed or failed for good.
    let_in: bool,
    history: History<(u64, PhaseName, Option<Arc<str>>)>,
}

impl Line {
    fn new(now_ms: u64) -> Line {
        Line {
            phase: PhaseName::Waiting,
            since_ms: now_ms,
            attempts: 0,
            retry_at_ms: None,
            last_fault: None,
            let_in: false,
            history: History::default(),
        }
    }

    /// What it is at.
    pub(super) fn phase(&self) -> PhaseName {
        self.phase
    }

    fn enter(&mut self, phase: Phase, code: Option<Arc<str>>, now_ms: u64) {
        let name = name_of(&phase);
        let again = self.phase == name && code.is_none() && !self.history.0.is_empty();
        self.retry_at_ms = None;
        match name {
            PhaseName::Open => self.let_in = true,
            PhaseName::Closed | PhaseName::Failed => self.let_in = false,
            PhaseName::Waiting | PhaseName::Opening | PhaseName::BackingOff => {}
        }
        match phase {
            Phase::BackingOff { fault, attempt, after } => {
                self.attempts = attempt;
                self.retry_at_ms = Some(now_ms + after.as_millis() as u64);
                self.last_fault = Some(Box::new(FaultReport::new(&fault, now_ms)));
            }
            Phase::Failed(fault) => self.last_fault = Some(Box::new(FaultReport::new(&fault, now_ms))),
            Phase::Open => self.attempts = 0,
            Phase::Waiting | Phase::Opening | Phase::Closed => {}
        }
        if again {
            return;
        }
        self.phase = name;
        self.since_ms = now_ms;
        self.history.push((now_ms, name, code));
    }

    pub(super) fn report(&self) -> LineReport {
        let entry = |(at_ms, phase, code): &(u64, PhaseName, Option<Arc<str>>)| PhaseReport {
            at_ms: *at_ms,
            phase: *phase,
            code: code.as_deref().map(str::to_owned),
        };
        LineReport {
            phase: self.phase,
            since_ms: self.since_ms,
            attempts: self.attempts,
            retry_at_ms: self.retry_at_ms,
            last_fault: self.last_fault.as_deref().cloned(),
            history: self.history.0.iter().map(entry).collect(),
        }
    }
}

fn name_of(phase: &Phase) -> PhaseName {
    match phase {
        Phase::Waiting => PhaseName::Waiting,
        Phase::Opening => PhaseName::Opening,
        Phase::Open => PhaseName::Open,
        Phase::BackingOff { .. } => PhaseName::BackingOff,
        Phase::Closed => PhaseName::Closed,
        Phase::Failed(_) => PhaseName::Failed,
    }
}

/// A bot.
#[derive(Debug)]
pub(super) struct Bot {
    identity: Arc<Identity>,
    started_ms: u64,
    /// As the bot or its manager told it last; [`Bot::state`] looks at its channels as well.
    told: BotState,
    told_ms: u64,
    conversation: Option<Box<str>>,
    last_fault: Option<Box<FaultReport>>,
    channels: BTreeMap<Arc<str>, Line>,
    history: History<(u64, BotState)>,
}

impl Bot {
    fn new(identity: Arc<Identity>, now_ms: u64) -> Bot {
        let mut history = History::default();
        history.push((now_ms, BotState::Starting));
        Bot {
            identity,
            started_ms: now_ms,
            told: BotState::Starting,
            told_ms: now_ms,
            conversation: None,
            last_fault: None,
            channels: BTreeMap::new(),
            history,
        }
    }

    /// How it is: what was told of it, unless all of its channels are down.
    pub(super) fn state(&self) -> BotState {
        let connected = self.channels.values().any(|line| line.phase == PhaseName::Open);
        match self.told {
            told if told.is_active() && !connected => BotState::Reconnecting,
            told => told,
        }
    }

    /// Since when it is in that state.
    pub(super) fn since_ms(&self) -> u64 {
        self.history.0.back().map_or(self.started_ms, |(at, _)| *at)
    }

    /// Since when it is what it was told to be last.
    pub(super) fn told_ms(&self) -> u64 {
        self.told_ms
    }

    pub(super) fn told(&self) -> BotState {
        self.told
    }

    pub(super) fn started_ms(&self) -> u64 {
        self.started_ms
    }

    pub(super) fn conversation(&self) -> Option<&str> {
        self.conversation.as_deref()
    }

    pub(super) fn degraded(&self) -> bool {
        self.state().is_active() && self.channels.values().any(|line| line.phase != PhaseName::Open)
    }

    /// Whether it is in this topic, or on its way back there.
    pub(super) fn let_in(&self, topic: &str) -> bool {
        self.channels.get(topic).is_some_and(|line| line.let_in)
    }

    pub(super) fn channels(&self) -> impl Iterator<Item = &Line> {
        self.channels.values()
    }

    fn remember(&mut self, now_ms: u64) {
        let state = self.state();
        if self.history.0.back().is_none_or(|(_, last)| *last != state) {
            self.history.push((now_ms, state));
        }
    }

    fn report(&self) -> BotReport {
        let own = self.last_fault.as_deref();
        let of_channels = self.channels.values().filter_map(|line| line.last_fault.as_deref());
        BotReport {
            id: self.identity.id.clone(),
            name: self.identity.name.clone(),
            persona: self.identity.persona.clone(),
            brain: self.identity.brain,
            state: self.state(),
            since_ms: self.since_ms(),
            started_at_ms: self.started_ms,
            degraded: self.degraded(),
            conversation: self.conversation.as_deref().map(str::to_owned),
            attempts: self.channels.values().map(|line| line.attempts).max().unwrap_or(0),
            last_fault: of_channels.chain(own).max_by_key(|fault| fault.at_ms).cloned(),
            channels: self
                .channels
                .iter()
                .map(|(topic, line)| ChannelReport { topic: topic.to_string(), line: line.report() })
                .collect(),
            history: self.history.0.iter().map(|&(at_ms, state)| StateReport { at_ms, state }).collect(),
        }
    }
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) connections: BTreeMap<u64, Line>,
    /// The last that ended, oldest first.
    pub(super) ended: VecDeque<(u64, Line)>,
    pub(super) bots: BTreeMap<Arc<str>, Bot>,
    pub(super) patterns: Patterns,
    pub(super) reconnect_attempts: u64,
    pub(super) bots_failed: u64,
}

impl Records {
    /// Something is in another phase. What is told of a bot's channel after the bot has ended is not kept.
    pub(super) fn phase(&mut self, subject: &Subject, phase: Phase, now_ms: u64) {
        let code = match &phase {
            Phase::BackingOff { fault, .. } => {
                self.reconnect_attempts += 1;
                Some(self.patterns.add(fault, now_ms))
            }
            Phase::Failed(fault) => Some(self.patterns.add(fault, now_ms)),
            _ => None,
        };
        match subject {
            Subject::Connection(id) => {
                self.connections.entry(*id).or_insert_with(|| Line::new(now_ms)).enter(phase, code, now_ms);
            }
            Subject::Channel { bot, topic } => {
                if let Some(bot) = self.bots.get_mut(bot) {
                    let line = bot.channels.entry(topic.clone()).or_insert_with(|| Line::new(now_ms));
                    line.enter(phase, code, now_ms);
                    bot.remember(now_ms);
                }
            }
        }
    }

    /// Something is no more. The last connections are remembered: why they ended is known only then.
    pub(super) fn forget(&mut self, subject: &Subject, now_ms: u64) {
        match subject {
            Subject::Connection(id) => {
                if let Some(line) = self.connections.remove(id) {
                    if self.ended.len() == ENDED {
                        self.ended.pop_front();
                    }
                    self.ended.push_back((*id, line));
                }
            }
            Subject::Channel { bot, topic } => {
                if let Some(bot) = self.bots.get_mut(bot) {
                    bot.channels.remove(topic);
                    bot.remember(now_ms);
                }
            }
        }
    }

    /// A bot was started.
    pub(super) fn bot_started(&mut self, identity: Arc<Identity>, now_ms: u64) {
        self.bots.insert(identity.id.as_str().into(), Bot::new(identity, now_ms));
    }

    /// A bot is in another state, with this conversation.
    pub(super) fn bot_is(&mut self, bot: &str, state: BotState, conversation: Option<&str>, now_ms: u64) {
        if let Some(bot) = self.bots.get_mut(bot) {
            if bot.told != state {
                bot.told_ms = now_ms;
            }
            bot.told = state;
            if bot.conversation.as_deref() != conversation {
                bot.conversation = conversation.map(Box::from);
            }
            bot.remember(now_ms);
        }
    }

    /// A bot failed.
    pub(super) fn bot_failed(&mut self, bot: &str, fault: &Fault, now_ms: u64) {
        if let Some(record) = self.bots.get_mut(bot) {
            record.last_fault = Some(Box::new(FaultReport::new(fault, now_ms)));
            self.patterns.add(fault, now_ms);
            self.bots_failed += 1;
            self.bot_is(bot, BotState::Failed, None, now_ms);
        }
    }

    /// A bot's task ended like this.
    pub(super) fn bot_crashed(&mut self, bot: &str, fault: &Fault, now_ms: u64) {
        if self.bots.get(bot).is_some_and(|bot| bot.told != BotState::Failed) {
            self.bot_failed(bot, fault, now_ms);
        }
    }

    /// Each bot.
    pub(super) fn bot_reports(&self) -> Vec<BotReport> {
        self.bots.values().map(Bot::report).collect()
    }
}
