//! What the model was asked, and what that has cost.

use serde::{Deserialize, Serialize};

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
    /// What last went wrong, `class: code`.
    pub last_fault: Option<String>,
}
