//! What is left.

use super::amounts::CapsBody;
use arena_core::Timestamp;
use arena_core::conversation::{
    Account, AccountId, Amounts, Capacity, Caps, Code, ConversationId, ExhaustedBy, ParticipantId, Remaining,
    Share,
};
use serde::Serialize;

/// One budget; `null` is unlimited.
#[derive(Debug, Serialize)]
pub(super) struct BudgetBody {
    limit: Caps,
    used: Amounts,
    held: Amounts,
    remaining: Caps,
}

impl From<Remaining> for BudgetBody {
    fn from(Remaining { limit, used, held, remaining }: Remaining) -> BudgetBody {
        BudgetBody { limit, used, held, remaining }
    }
}

/// A participant's part.
#[derive(Debug, Serialize)]
pub(crate) struct ShareBody {
    participant: ParticipantId,
    #[serde(flatten)]
    budget: BudgetBody,
    may_send: bool,
    reason: Option<Code>,
    retry_after_ms: Option<u64>,
    exhausted: bool,
}

impl From<Share> for ShareBody {
    fn from(share: Share) -> ShareBody {
        ShareBody {
            participant: share.participant,
            budget: share.budget.into(),
            may_send: share.may_send,
            reason: share.reason,
            retry_after_ms: share.retry_after_ms,
            exhausted: share.exhausted,
        }
    }
}

/// All of a conversation's budgets.
#[derive(Debug, Serialize)]
pub(crate) struct CapacityBody {
    conversation: ConversationId,
    total: BudgetBody,
    exhausted: Option<ExhaustedBy>,
    ends_in_ms: Option<u64>,
    refills_in_ms: Option<u64>,
    turn: Option<ParticipantId>,
    participants: Vec<ShareBody>,
}

impl CapacityBody {
    pub(crate) fn new(conversation: ConversationId, capacity: Capacity) -> CapacityBody {
        CapacityBody {
            conversation,
            total: capacity.total.into(),
            exhausted: capacity.reason,
            ends_in_ms: capacity.ends_in_ms,
            refills_in_ms: capacity.refills_in_ms,
            turn: capacity.turn,
            participants: capacity.participants.into_iter().map(ShareBody::from).collect(),
        }
    }
}

/// A budget that several conversations share.
#[derive(Debug, Serialize)]
pub(crate) struct AccountBody {
    id: AccountId,
    #[serde(flatten)]
    caps: CapsBody,
    used: Amounts,
    held: Amounts,
    remaining: Caps,
    refills_in_ms: Option<u64>,
}

impl AccountBody {
    pub(crate) fn new(id: AccountId, account: Account, now: Timestamp) -> AccountBody {
        AccountBody {
            id,
            caps: CapsBody::new(account.caps, account.refill_every_ms),
            used: account.used,
            held: account.held,
            remaining: account.caps.minus(account.used.plus(account.held)),
            refills_in_ms: account.refills_in_ms(now),
        }
    }
}
