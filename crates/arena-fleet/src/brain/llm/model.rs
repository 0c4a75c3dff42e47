//! The model that all bots of a fleet share: its budgets, its breaker, its turns.

use super::client::{Client, Failure, Reply, Taken};
use super::fault;
use super::gate::{Gate, Pass, Standing};
use super::held::{Held, Releases};
use super::ledger::{Amount, Hold, Ledger, Limits};
use super::prompt::{self, tokens_of};
use super::stats::{Counters, ModelStats};
use super::wire::{Message, Usage};
use crate::brain::Purse;
use crate::brain::error::BrainsError;
use crate::settings::LlmSettings;
use arena_core::fleet::{Fault, FaultClass};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The longest that a reply may take, whatever the settings say: a bot's thought takes a minute at most.
const LONGEST: Duration = Duration::from_secs(50);
/// By when it has to be there, the waiting for a turn and for the conversation's money included.
const IN_ALL: Duration = Duration::from_secs(56);
/// With less time than this left nothing is asked: it would be paid for and not be read.
const LEAST: Duration = Duration::from_secs(1);

/// A model behind a chat endpoint.
#[derive(Debug)]
pub(crate) struct Model {
    settings: LlmSettings,
    client: Client,
    ledger: Arc<Ledger>,
    gate: Arc<Gate>,
    /// Requests under way. Those that wait are bots in the middle of a thought, one each, and for no longer than
    /// leaves time for a reply.
    turns: Semaphore,
    releases: Releases,
    counters: Counters,
    /// What the newest request was estimated at: what the next one will need.
    newest: Mutex<Amount>,
}

/// What the model wrote, and what it has cost.
pub(super) struct Written {
    pub(super) text: String,
    /// What the conversation holds for it, until it is said.
    pub(super) held: Held,
    pub(super) used: Amount,
}

/// Why the model wrote nothing.
#[derive(Debug)]
pub(super) enum Nothing {
    /// It is down, it failed, or a budget of the bot or of the fleet is spent.
    Unavailable,
    /// The conversation does not pay for it.
    Unpaid {
        /// The refusal's code.
        code: String,
    },
}

impl Model {
    /// Checks the settings.
    pub(crate) fn new(settings: &LlmSettings) -> Result<Model, BrainsError> {
        check(settings)?;
        let limits = |tokens, cost_micros| Limits { tokens, cost_micros };
        let of_bot = limits(settings.bot_tokens, settings.bot_cost_micros);
        let of_fleet = limits(settings.fleet_tokens, settings.fleet_cost_micros);
        Ok(Model {
            client: Client::new(settings)?,
            ledger: Arc::new(Ledger::new(of_bot, of_fleet)),
            gate: Arc::new(Gate::new(settings.breaker_failures, settings.breaker_delay)),
            turns: Semaphore::new(settings.max_requests),
            releases: Releases::new(),
            counters: Counters::default(),
            newest: Mutex::default(),
            settings: settings.clone(),
        })
    }

    /// Has the bot's next line written, and the conversation pay for it.
    pub(super) async fn write(
        &self,
        bot: &str,
        messages: &[Message],
        purse: &Arc<dyn Purse>,
    ) -> Result<Written, Nothing> {
        let written = self.try_write(bot, messages, purse).await;
        match &written {
            Ok(_) => self.counters.add(&self.counters.replies),
            Err(Nothing::Unavailable) => self.counters.add(&self.counters.fallbacks),
            Err(Nothing::Unpaid { .. }) => self.counters.add(&self.counters.unpaid),
        }
        written
    }

    async fn try_write(
        &self,
        bot: &str,
        messages: &[Message],
        purse: &Arc<dyn Purse>,
    ) -> Result<Written, Nothing> {
        let estimate = self.estimate(messages);
        *self.newest() = estimate;
        if !self.is_up(bot, estimate) {
            return Err(Nothing::Unavailable);
        }
        let timeout = self.settings.timeout.min(LONGEST);
        let end = Instant::now() + IN_ALL;
        // That there are more bots than turns is no fault of the model: it has its whole time from the turn on.
        let turn = self.turn(end - timeout).await.ok_or(Nothing::Unavailable)?;
        // The fleet's budget first: what it does not pay for need not be reserved elsewhere.
        let hold = self.ledger.hold(bot, estimate).map_err(|_| Nothing::Unavailable)?;
        let pass = self.gate.pass().ok_or(Nothing::Unavailable)?;
        let held = self.releases.reserve(purse, estimate.tokens, estimate.cost_micros).await;
        let held = held.map_err(|unpaid| Nothing::Unpaid { code: unpaid.code })?;
        let deadline = end.min(Instant::now() + timeout);
        if deadline.saturating_duration_since(Instant::now()) < LEAST.min(timeout / 2) {
            return Err(Nothing::Unavailable);
        }
        let (reply, used) = self.persist(bot, messages, hold, deadline, pass).await?;
        drop(turn);
        Ok(Written { text: reply.text, held, used })
    }

    /// Waits for a turn, and no longer than until `deadline`.
    async fn turn(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout_at(deadline, self.turns.acquire()).await.ok()?.ok()
    }

    /// Asks until there is a reply, trying again will not help, or it is too late.
    async fn persist(
        &self,
        bot: &str,
        messages: &[Message],
        first: Hold,
        deadline: Instant,
        pass: Pass,
    ) -> Result<(Reply, Amount), Nothing> {
        let estimate = self.estimate(messages);
        let mut hold = first;
        let mut attempt = 1;
        let fault = loop {
            match self.attempt(messages, hold, deadline).await {
                Ok(found) => {
                    if pass.succeeded() {
                        tracing::info!(model = self.settings.model, "the model is up again");
                    }
                    return Ok(found);
                }
                Err(failed) => {
                    let Some(delay) = self.delay(&failed, attempt, deadline) else { break failed.fault };
                    tokio::time::sleep(delay).await;
                    // What it has cost so far may have been the last of a budget.
                    let Ok(next) = self.ledger.hold(bot, estimate) else { break failed.fault };
                    hold = next;
                    attempt += 1;
                }
            }
        };
        self.report(&fault, pass.failed(&fault));
        Err(Nothing::Unavailable)
    }

    /// Asks once, and charges what that has cost.
    async fn attempt(
        &self,
        messages: &[Message],
        mut hold: Hold,
        deadline: Instant,
    ) -> Result<(Reply, Amount), Failure> {
        self.counters.add(&self.counters.calls);
        hold.sent();
        let under_way = self.counters.under_way();
        let asked = tokio::time::timeout_at(deadline, self.client.ask(messages)).await;
        drop(under_way);
        let asked = asked.unwrap_or_else(|_| {
            let fault = fault::of(FaultClass::Timeout, "timeout", "the model took too long");
            Err(Failure { fault, again: false, taken: Taken::Unknown })
        });
        match asked {
            Ok(reply) => {
                let used = match reply.usage {
                    Some(usage) => self.cost(usage),
                    None => hold.held().max(self.worst(messages, &reply.text)),
                };
                hold.settle(used);
                Ok((reply, used))
            }
            Err(failed) => {
                self.counters.failed(&failed.fault);
                let held = hold.held();
                hold.settle(match failed.taken {
                    Taken::Nothing => Amount::default(),
                    Taken::Known(usage) => self.cost(usage),
                    Taken::Unknown => held,
                });
                Err(failed)
            }
        }
    }

    /// How long to wait until the next attempt; `None`: there is none.
    fn delay(&self, failed: &Failure, attempt: u32, deadline: Instant) -> Option<Duration> {
        let asked = failed.fault.retry_after;
        if let Some(asked) = asked {
            self.gate.wait(asked);
        }
        if !failed.again {
            return None;
        }
        let delay = self.settings.retry.delay_after(attempt, fastrand::f64())?;
        let delay = delay.max(asked.unwrap_or_default());
        (Instant::now() + delay < deadline).then_some(delay)
    }

    fn report(&self, fault: &Fault, left_alone: bool) {
        let model = &self.settings.model;
        if left_alone {
            tracing::error!(%model, %fault, "the model is left alone for a while; its bots are scripted");
        } else {
            tracing::warn!(%model, %fault, "the model gave no reply");
        }
    }

    /// What a reply to these messages may cost at most, if the endpoint keeps to what it is asked.
    pub(super) fn estimate(&self, messages: &[Message]) -> Amount {
        self.cost(Usage { prompt: prompt::tokens(messages), reply: self.settings.max_reply_tokens })
    }

    /// What a reply has cost at most that nobody counted.
    fn worst(&self, messages: &[Message], text: &str) -> Amount {
        self.cost(Usage { prompt: prompt::tokens(messages), reply: tokens_of(text) })
    }

    fn cost(&self, usage: Usage) -> Amount {
        let price = |tokens: u64, micros: u64| {
            u64::try_from((u128::from(tokens) * u128::from(micros)).div_ceil(1_000_000)).unwrap_or(u64::MAX)
        };
        let prompt = price(usage.prompt, self.settings.prompt_price_micros);
        let reply = price(usage.reply, self.settings.reply_price_micros);
        Amount { tokens: usage.prompt.saturating_add(usage.reply), cost_micros: prompt.saturating_add(reply) }
    }

    /// Whether this bot's next reply, if it costs so much, would be asked for: the model is not left alone and the
    /// budgets have room.
    pub(super) fn is_up(&self, bot: &str, estimate: Amount) -> bool {
        self.gate.standing() != Standing::Open && self.ledger.could_hold(bot, estimate)
    }

    /// Whether the model is known to work.
    pub(super) fn is_closed(&self) -> bool {
        self.gate.standing() == Standing::Closed
    }

    /// Replies so far, of all bots.
    pub(super) fn replies(&self) -> u64 {
        self.counters.replies.load(Ordering::Relaxed)
    }

    /// What it was asked, and what that has cost.
    pub(crate) fn stats(&self) -> ModelStats {
        let fleet = self.ledger.fleet();
        let standing = self.gate.standing();
        let next = self.newest().max(self.estimate(&[]));
        ModelStats {
            model: self.settings.model.clone(),
            up: standing == Standing::Closed && self.ledger.could_hold("", next),
            breaker: standing.as_str().to_owned(),
            tokens: fleet.used.tokens,
            cost_micros: fleet.used.cost_micros,
            held_tokens: fleet.held.tokens,
            held_cost_micros: fleet.held.cost_micros,
            fleet_tokens: self.settings.fleet_tokens,
            fleet_cost_micros: self.settings.fleet_cost_micros,
            reservations_lapsed: self.releases.lapsed(),
            ..self.counters.snapshot()
        }
    }

    fn newest(&self) -> MutexGuard<'_, Amount> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all reservations are given back that nothing came of.
    pub(crate) async fn settled(&self) {
        self.releases.settled().await;
    }
}

fn check(settings: &LlmSettings) -> Result<(), BrainsError> {
    let wrong = |key, problem: &str| Err(BrainsError::Model { key, problem: problem.to_owned() });
    if settings.model.trim().is_empty() {
        return wrong("model", "the name of a model is needed");
    }
    if settings.timeout.is_zero() || settings.stall_timeout.is_zero() {
        return wrong("timeout", "timeouts must be more than nothing");
    }
    if settings.max_reply_tokens == 0 {
        return wrong("max_reply_tokens", "it must be 1 or more");
    }
    if settings.max_requests == 0 || settings.max_requests > Semaphore::MAX_PERMITS {
        return wrong("max_requests", "it must be 1 or more");
    }
    Ok(())
}
