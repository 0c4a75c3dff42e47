//! What is counted: messages, tokens and money.

use serde::{Deserialize, Serialize};

/// What a budget is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Messages.
    Messages,
    /// Tokens of a language model, as their sender reports them.
    Tokens,
    /// Money in millionths of a currency's unit, as its spender reports it.
    CostMicros,
}

impl Resource {
    /// All, in the order in which budgets are checked.
    pub const ALL: [Resource; 3] = [Resource::Messages, Resource::Tokens, Resource::CostMicros];
}

/// So much of each resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Amounts {
    /// Messages.
    pub messages: u64,
    /// Tokens.
    pub tokens: u64,
    /// Millionths of a currency's unit.
    pub cost_micros: u64,
}

impl Amounts {
    /// Of one resource.
    pub fn of(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Messages => self.messages,
            Resource::Tokens => self.tokens,
            Resource::CostMicros => self.cost_micros,
        }
    }

    /// Both together; stays at the largest number rather than to begin again at 0.
    pub fn plus(self, other: Amounts) -> Amounts {
        Amounts {
            messages: self.messages.saturating_add(other.messages),
            tokens: self.tokens.saturating_add(other.tokens),
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
        }
    }

    /// Without the other, never below 0.
    pub fn minus(self, other: Amounts) -> Amounts {
        Amounts {
            messages: self.messages.saturating_sub(other.messages),
            tokens: self.tokens.saturating_sub(other.tokens),
            cost_micros: self.cost_micros.saturating_sub(other.cost_micros),
        }
    }
}

/// At most so much of each resource. `None` is unlimited, 0 is nothing at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Caps {
    /// Messages.
    pub messages: Option<u64>,
    /// Tokens.
    pub tokens: Option<u64>,
    /// Millionths of a currency's unit.
    pub cost_micros: Option<u64>,
}

impl Caps {
    /// Of one resource.
    pub fn of(&self, resource: Resource) -> Option<u64> {
        match resource {
            Resource::Messages => self.messages,
            Resource::Tokens => self.tokens,
            Resource::CostMicros => self.cost_micros,
        }
    }

    /// What is left after `used`.
    pub fn minus(&self, used: Amounts) -> Caps {
        let left = |resource| self.of(resource).map(|cap: u64| cap.saturating_sub(used.of(resource)));
        Caps {
            messages: left(Resource::Messages),
            tokens: left(Resource::Tokens),
            cost_micros: left(Resource::CostMicros),
        }
    }

    /// Raised by so much; what is unlimited stays so.
    pub fn raised(&self, by: Amounts) -> Caps {
        let more = |resource| self.of(resource).map(|cap: u64| cap.saturating_add(by.of(resource)));
        Caps {
            messages: more(Resource::Messages),
            tokens: more(Resource::Tokens),
            cost_micros: more(Resource::CostMicros),
        }
    }

    /// The first resource of which `used` has reached the cap.
    pub fn reached(&self, used: Amounts) -> Option<Resource> {
        Resource::ALL
            .into_iter()
            .find(|resource| self.of(*resource).is_some_and(|cap| used.of(*resource) >= cap))
    }

    /// The first resource of which `wanted` does not fit on top of `used`.
    pub fn refuses(&self, used: Amounts, wanted: Amounts) -> Option<Resource> {
        let left = self.minus(used);
        let fits = |resource| left.of(resource).is_none_or(|left| wanted.of(resource) <= left);
        Resource::ALL.into_iter().find(|resource| !fits(*resource))
    }
}
