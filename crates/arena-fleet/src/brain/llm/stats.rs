//! What the model was asked, and what that has cost.

use arena_core::fleet::Fault;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a fleet's model was asked since the start, and how it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelStats {
    /// The model.
    pub model: String,
    /// Whether it is asked at present: it is neither down nor is the fleet's budget spent.
    pub up: bool,
    /// The breaker: `closed` (it works), `open` (it is left alone for a while), `half_open` (one bot tries).
    pub breaker: String,
    /// Requests that were sent.
    pub calls: u64,
    /// Replies that came whole.
    pub replies: u64,
    /// Requests that failed, whether they were tried again or not.
    pub failures: u64,
    /// Times that a bot was scripted instead: the model was down or failed, or a budget of the bot or of the fleet was spent.
    pub fallbacks: u64,
    /// Times that a conversation had no budget for a reply.
    pub unpaid: u64,
    /// Requests under way.
    pub under_way: u64,
    /// Tokens that were spent, of prompts and replies.
    pub tokens: u64,
    /// Money that was spent, in millionths.
    pub cost_micros: u64,
    /// Tokens that are held for requests under way.
    pub held_tokens: u64,
    /// Money that is held for them.
    pub held_cost_micros: u64,
    /// What the whole fleet may spend: tokens.
    pub fleet_tokens: Option<u64>,
    /// What the whole fleet may spend: money, in millionths.
    pub fleet_cost_micros: Option<u64>,
    /// Reservations of conversations that could not be given back and were left to lapse.
    pub reservations_lapsed: u64,
    /// What last went wrong, `class: code`.
    pub last_fault: Option<String>,
}

/// What is counted as it happens.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) calls: AtomicU64,
    pub(super) replies: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) fallbacks: AtomicU64,
    pub(super) unpaid: AtomicU64,
    under_way: AtomicU64,
    last_fault: Mutex<Option<String>>,
}

/// A request under way.
pub(super) struct UnderWay<'a>(&'a Counters);

impl Counters {
    pub(super) fn add(&self, counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, fault: &Fault) {
        self.add(&self.failures);
        let shown = format!("{}: {}", fault.class, fault.code);
        *self.last_fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
    }

    /// Counts a request until what is given is dropped.
    pub(super) fn under_way(&self) -> UnderWay<'_> {
        self.add(&self.under_way);
        UnderWay(self)
    }

    /// The counters; everything else is left empty.
    pub(super) fn snapshot(&self) -> ModelStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ModelStats {
            calls: of(&self.calls),
            replies: of(&self.replies),
            failures: of(&self.failures),
            fallbacks: of(&self.fallbacks),
            unpaid: of(&self.unpaid),
            under_way: of(&self.under_way),
            last_fault: self.last_fault.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            ..ModelStats::default()
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
