//! What is left, as participants and operators are told it.

use super::{Amounts, Caps, Code, ExhaustedBy, ParticipantId};
use serde::Serialize;

/// One budget: its caps, what of them is used or held, and what is left. Unlimited is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Remaining {
    /// What may be used, in the present window where it refills.
    pub limit: Caps,
    /// What is used, in that window.
    pub used: Amounts,
    /// What is held by reservations.
    pub held: Amounts,
    /// What is left.
    pub remaining: Caps,
}

/// A participant's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Who.
    pub participant: ParticipantId,
    /// Their budget.
    pub budget: Remaining,
    /// Whether a message of theirs would be let through now, as far as budgets and turns go.
    pub may_send: bool,
    /// Why not.
    pub reason: Option<Code>,
    /// When that may change by itself, in milliseconds from now.
    pub retry_after_ms: Option<u64>,
    /// Whether their own share is spent until somebody tops it up: no window refills it.
    pub exhausted: bool,
}

/// All of a conversation's budgets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capacity {
    /// The conversation's own.
    pub total: Remaining,
    /// Whether it is at its end.
    pub exhausted: bool,
    /// What ended it.
    pub reason: Option<ExhaustedBy>,
    /// How long until its time is over, in milliseconds; the earlier of its end and the end of its patience.
    pub ends_in_ms: Option<u64>,
    /// How long until its budgets refill, in milliseconds.
    pub refills_in_ms: Option<u64>,
    /// Whose turn it is.
    pub turn: Option<ParticipantId>,
    /// Everybody in the roster, and everybody who has spoken.
    pub participants: Vec<Share>,
}
