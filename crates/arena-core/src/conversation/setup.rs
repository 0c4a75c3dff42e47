//! How a conversation is set up.

use super::{Amounts, Caps, ConversationId, ParticipantId};
use crate::Metadata;
use serde::{Deserialize, Serialize};

/// What bounds a conversation. Everything that is left out is unlimited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// For each participant.
    #[serde(skip_serializing_if = "is_default")]
    pub per_participant: Caps,
    /// For all together.
    #[serde(skip_serializing_if = "is_default")]
    pub total: Caps,
    /// How long it may last from its creation, in milliseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub max_duration_ms: Option<u64>,
    /// How long nobody may say anything, in milliseconds; not while anybody holds a reservation.
    #[serde(skip_serializing_if = "is_default")]
    pub idle_timeout_ms: Option<u64>,
    /// Messages that each participant of the roster is sure of, however much the others say. Needs a roster and a
    /// total. Whoever comes late is sure of no more than what is left by then.
    #[serde(skip_serializing_if = "is_default")]
    pub guaranteed_per_participant: u64,
    /// Budgets begin anew every so often, in milliseconds, counted from the creation. A budget that refills blocks
    /// until then and exhausts nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub refill_every_ms: Option<u64>,
}

/// Who may speak next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnPolicy {
    /// Whoever wants to.
    #[default]
    Free,
    /// One after the other, in the roster's order.
    RoundRobin,
    /// Whoever has said least; the roster's order decides between equals.
    LeastSpokenFirst,
    /// Whom the last message mentions as `@id`, first mention first; else as in `RoundRobin`.
    MentionFirst,
    /// Whom a moderator gives the word; nobody else.
    Moderator,
}

/// Turns: who speaks next, and how long they are waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turns {
    /// Who.
    #[serde(skip_serializing_if = "is_default")]
    pub policy: TurnPolicy,
    /// After how many milliseconds of silence the next one has the turn. After a round in which nobody spoke, anybody
    /// may.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout_ms: Option<u64>,
}

/// What participants without a budget get to hear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Everything.
    #[default]
    All,
    /// Everything, but marked `"context_only": true`: not to be answered.
    ContextOnly,
    /// Nothing as it happens; they may still read the log.
    Withhold,
}

/// What becomes of a message that is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRefusal {
    /// Its sender is told why.
    #[default]
    Tell,
    /// Its sender is told nothing, for clients that know no refusals. The event on the topic is published all the same.
    SilentDrop,
}

/// What makes a conversation a loop, and what is done about it. Throttling only: the budgets stay what ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopRules {
    /// How many of the last messages are looked at for repeated texts, at most [`LoopRules::MAX_WINDOW`].
    pub window: u32,
    /// The same text (but for case and white space) that often in the window is a loop; 0 looks for none.
    pub max_repeats: u32,
    /// So many messages in a row by the same two participants, all within `pair_window_ms`, are a loop; 0 looks for
    /// none. At most [`LoopRules::MAX_WINDOW`].
    pub pair_messages: u32,
    /// In milliseconds.
    pub pair_window_ms: u64,
    /// For how long whoever is in the loop is refused, in milliseconds.
    pub throttle_ms: u64,
}

impl LoopRules {
    /// The most messages that are looked at.
    pub const MAX_WINDOW: u32 = 64;
}

impl Default for LoopRules {
    fn default() -> Self {
        LoopRules {
            window: 12,
            max_repeats: 3,
            pair_messages: 20,
            pair_window_ms: 20_000,
            throttle_ms: 10_000,
        }
    }
}

/// What happens to a message when the moderator does not answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// It is let through.
    Open,
    /// It is refused, and may be tried again.
    #[default]
    Closed,
}

/// Whom to ask before a message is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moderation {
    /// Where each message is posted to.
    pub url: String,
    /// How long an answer is waited for, in milliseconds, at most [`Moderation::MAX_DEADLINE_MS`].
    pub deadline_ms: u64,
    /// What happens without one.
    #[serde(default)]
    pub on_failure: OnFailure,
}

impl Moderation {
    /// The longest deadline, in milliseconds.
    pub const MAX_DEADLINE_MS: u64 = 10_000;
}

/// Everything that is said about a conversation when it is created, and may be changed later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Setup {
    /// Who may speak, in the order of turns. Empty: anybody.
    #[serde(skip_serializing_if = "is_default")]
    pub participants: Vec<ParticipantId>,
    /// Budgets.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// Turns. All policies but `Free` need a roster.
    #[serde(skip_serializing_if = "is_default")]
    pub turns: Turns,
    /// What participants without a budget hear.
    #[serde(skip_serializing_if = "is_default")]
    pub delivery: Delivery,
    /// What becomes of refused messages.
    #[serde(skip_serializing_if = "is_default")]
    pub on_refusal: OnRefusal,
    /// The loop detector; `None` looks for no loops.
    #[serde(skip_serializing_if = "is_default")]
    pub loops: Option<LoopRules>,
    /// The moderator.
    #[serde(skip_serializing_if = "is_default")]
    pub moderation: Option<Moderation>,
    /// Whose budget it is charged to beside its own: `owner:<owner>`. Never changes.
    #[serde(skip_serializing_if = "is_default")]
    pub owner: Option<ParticipantId>,
    /// The conversation that it belongs under. Never changes.
    #[serde(skip_serializing_if = "is_default")]
    pub parent: Option<ConversationId>,
    /// The first of its ancestors, whose tree's budget it is charged to; itself where it has no parent. Never changes.
    #[serde(skip_serializing_if = "is_default")]
    pub root: Option<ConversationId>,
    /// Whatever its creator hangs on it.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: Metadata,
}

/// Why a setup is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// More than there may be.
    #[error("{got} participants; at most {max} are allowed")]
    TooManyParticipants {
        /// Given.
        got: usize,
        /// Allowed.
        max: usize,
    },
    /// Named twice.
    #[error("participant `{0}` is named twice")]
    Twice(ParticipantId),
    /// Turns need a roster.
    #[error("turns go by the roster: name the participants, or leave the policy `free`")]
    TurnsWithoutRoster,
    /// Guarantees need a roster and a total, and must fit into it.
    #[error("guaranteed_per_participant needs participants and max_total_messages, and has to fit: {0}")]
    Guarantee(String),
    /// A duration of 0, or longer than can be counted.
    #[error("{0} must be between 1 ms and 10 years")]
    Duration(&'static str),
    /// Rules of the loop detector that make no sense.
    #[error("loop rules: {0}")]
    Loops(&'static str),
    /// A moderator that cannot be asked.
    #[error("moderation: {0}")]
    Moderation(String),
    /// A participant that is not in the roster.
    #[error("`{0}` is no participant of this conversation")]
    NoSuchParticipant(ParticipantId),
    /// A top-up of nothing.
    #[error("a top-up has to add something")]
    EmptyTopUp,
    /// A top-up of something unlimited would limit nothing.
    #[error("{0} is unlimited here; set a limit first")]
    Unlimited(&'static str),
}

/// What is as it would be without having been said is not written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Setup {
    /// The largest roster; also the most who may ever speak where there is none.
    pub const MAX_PARTICIPANTS: usize = 1_000;

    /// The longest duration, in milliseconds: ten years.
    pub const MAX_DURATION_MS: u64 = 10 * 366 * 86_400_000;

    /// What one message costs beside its tokens and money.
    pub const ONE_MESSAGE: Amounts = Amounts { messages: 1, tokens: 0, cost_micros: 0 };
}
