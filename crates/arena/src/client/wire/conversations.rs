//! Conversations and budgets.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A conversation.
#[derive(Debug, Clone, Deserialize)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// Who may speak; nobody named is anybody.
    #[serde(default)]
    pub participants: Vec<String>,
    /// What bounds it, by name; `null` is unlimited.
    #[serde(default)]
    pub limits: serde_json::Map<String, Value>,
    /// Who speaks next.
    pub turns: Turns,
    /// What participants without a budget hear.
    pub delivery: String,
    /// What becomes of refused messages.
    pub on_refusal: String,
    /// Whose budget it is charged to.
    pub owner: Option<String>,
    /// The conversation that it belongs under.
    pub parent: Option<String>,
    /// What ended it.
    pub exhausted: Option<String>,
    /// Free JSON of its creator.
    #[serde(default)]
    pub metadata: Value,
    /// When it was created.
    pub created_at_ms: i64,
}

/// Who speaks next.
#[derive(Debug, Clone, Deserialize)]
pub struct Turns {
    /// By which rule.
    pub policy: String,
}

/// So much of each resource.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Amounts {
    /// Messages.
    pub messages: u64,
    /// Tokens.
    pub tokens: u64,
    /// Millionths of a currency's unit.
    pub cost_micros: u64,
}

/// At most so much; `None` is unlimited.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Caps {
    /// Messages.
    pub messages: Option<u64>,
    /// Tokens.
    pub tokens: Option<u64>,
    /// Millionths of a currency's unit.
    pub cost_micros: Option<u64>,
}

/// One budget.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Budget {
    /// What may be used.
    pub limit: Caps,
    /// What is used.
    pub used: Amounts,
    /// What is held by reservations.
    pub held: Amounts,
    /// What is left.
    pub remaining: Caps,
}

/// A participant's part.
#[derive(Debug, Clone, Deserialize)]
pub struct Share {
    /// Who.
    pub participant: String,
    /// Their budget.
    #[serde(flatten)]
    pub budget: Budget,
    /// Whether a message would be let through.
    pub may_send: bool,
    /// Why not.
    pub reason: Option<String>,
    /// When that may change by itself.
    pub retry_after_ms: Option<u64>,
}

/// All that is left.
#[derive(Debug, Clone, Deserialize)]
pub struct Capacity {
    /// Of what.
    pub conversation: String,
    /// The conversation's own budget.
    pub total: Budget,
    /// What ended it.
    pub exhausted: Option<String>,
    /// How long until its time is over.
    pub ends_in_ms: Option<u64>,
    /// How long until budgets refill.
    pub refills_in_ms: Option<u64>,
    /// Whose turn it is.
    pub turn: Option<String>,
    /// Of each.
    pub participants: Vec<Share>,
}

/// What came of something that was asked for.
#[derive(Debug, Clone, Deserialize)]
pub struct Receipt {
    /// The entry's place in the log.
    pub offset: u64,
    /// Whether it had been done before.
    pub repeated: bool,
    /// Why it was dropped without a word.
    pub dropped: Option<Dropped>,
    /// Whose turn it is now.
    pub turn: Option<String>,
    /// What is left to whoever spoke.
    pub share: Option<Share>,
    /// What is left to all.
    pub total: Budget,
    /// What ended the conversation.
    pub exhausted: Option<String>,
}

/// Why a message was dropped.
#[derive(Debug, Clone, Deserialize)]
pub struct Dropped {
    /// In words.
    pub detail: String,
}

/// A part of a log, its lines as the server wrote them.
#[derive(Debug, Deserialize, serde::Serialize)]
pub struct Log {
    /// The lines.
    pub items: Vec<Box<RawValue>>,
    /// Where to go on.
    pub position: u64,
    /// What offsets count in.
    pub epoch: String,
    /// Whether there are more.
    pub more: bool,
}

/// A line of a log.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    /// Its number.
    pub offset: u64,
    /// When it was written.
    pub at_ms: i64,
    /// What kind of entry it is.
    pub event: String,
    /// What it says.
    pub payload: Value,
}

/// A budget that several conversations share.
#[derive(Debug, Clone, Deserialize)]
pub struct SharedBudget {
    /// Its id.
    pub id: String,
    /// Messages at most.
    pub max_messages: Option<u64>,
    /// Tokens at most.
    pub max_tokens: Option<u64>,
    /// Money at most.
    pub max_cost_micros: Option<u64>,
    /// How often it begins anew.
    pub refill_every_ms: Option<u64>,
    /// What is used.
    pub used: Amounts,
    /// What is held.
    pub held: Amounts,
    /// What is left.
    pub remaining: Caps,
    /// How long until it begins anew.
    pub refills_in_ms: Option<u64>,
}
