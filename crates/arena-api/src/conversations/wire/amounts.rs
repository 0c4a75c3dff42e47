//! Amounts and caps.

use arena_core::conversation::{Amounts, Caps};
use serde::{Deserialize, Serialize};

/// So much of each resource; what is left out is 0.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AmountsBody {
    messages: Option<u64>,
    tokens: Option<u64>,
    cost_micros: Option<u64>,
}

impl From<AmountsBody> for Amounts {
    fn from(AmountsBody { messages, tokens, cost_micros }: AmountsBody) -> Amounts {
        Amounts {
            messages: messages.unwrap_or_default(),
            tokens: tokens.unwrap_or_default(),
            cost_micros: cost_micros.unwrap_or_default(),
        }
    }
}

/// What a budget that several conversations share allows. What is left out is unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapsBody {
    max_messages: Option<u64>,
    max_tokens: Option<u64>,
    max_cost_micros: Option<u64>,
    refill_every_ms: Option<u64>,
}

impl CapsBody {
    /// As it stands.
    pub(crate) fn new(caps: Caps, refill_every_ms: Option<u64>) -> CapsBody {
        let Caps { messages, tokens, cost_micros } = caps;
        CapsBody { max_messages: messages, max_tokens: tokens, max_cost_micros: cost_micros, refill_every_ms }
    }

    /// The caps, and how often they refill, in milliseconds.
    pub(crate) fn caps(self) -> (Caps, Option<u64>) {
        let CapsBody { max_messages, max_tokens, max_cost_micros, refill_every_ms } = self;
        let caps = Caps { messages: max_messages, tokens: max_tokens, cost_micros: max_cost_micros };
        (caps, refill_every_ms)
    }
}
