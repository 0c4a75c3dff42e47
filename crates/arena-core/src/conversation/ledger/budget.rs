//! One budget, whosever it is: what is left of it, and what it refuses.

use super::super::{Account, Amounts, Caps, Code, Refusal, Remaining, Resource, Scope};
use super::Moment;
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// What was counted against one budget.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Tally {
    /// Used in the window that is counted in.
    #[serde(skip_serializing_if = "is_default")]
    pub used: Amounts,
    /// Used in all windows before.
    #[serde(skip_serializing_if = "is_default")]
    pub before: Amounts,
    /// Held by reservations.
    #[serde(skip_serializing_if = "is_default")]
    pub held: Amounts,
    /// How far its users were warned, for each resource.
    #[serde(skip_serializing_if = "is_default")]
    pub warned: [u8; 3],
    /// Whether the log says that it is spent.
    #[serde(skip_serializing_if = "is_default")]
    pub blocked: bool,
}

impl Tally {
    /// Used over the whole conversation.
    pub fn ever(&self) -> Amounts {
        self.before.plus(self.used)
    }

    /// With these caps, at this moment.
    pub fn budget(&self, caps: Caps, moment: Moment) -> Budget {
        let used = if moment.refilled { Amounts::default() } else { self.used };
        Budget { caps, used, held: self.held, refills_in_ms: moment.refills_in_ms }
    }

    /// Begins another window. What it was warned of and blocked by is for the caller to look at again.
    pub fn begin_window(&mut self) {
        self.before = self.ever();
        self.used = Amounts::default();
    }
}

/// A budget at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub caps: Caps,
    pub used: Amounts,
    pub held: Amounts,
    pub refills_in_ms: Option<u64>,
}

impl Budget {
    /// One that several conversations share.
    pub fn shared(account: &Account, now: Timestamp) -> Budget {
        let mut account = account.clone();
        account.turn_to(now);
        Budget {
            caps: account.caps,
            used: account.used,
            held: account.held,
            refills_in_ms: account.refills_in_ms(now),
        }
    }

    /// With so much more used and so much less held.
    pub fn after(self, cost: Amounts, given_back: Amounts) -> Budget {
        Budget { used: self.used.plus(cost), held: self.held.minus(given_back), ..self }
    }

    /// The first resource that is all used: held does not count.
    pub fn spent(&self) -> Option<Resource> {
        self.caps.reached(self.used)
    }

    /// The first resource that is all used and never refills.
    pub fn spent_for_good(&self) -> Option<Resource> {
        Resource::ALL.into_iter().find(|resource| self.is_spent_for_good(*resource))
    }

    /// Whether this resource is all used and never refills. A cap of 0 refills to 0.
    pub fn is_spent_for_good(&self, resource: Resource) -> bool {
        let full = |cap| self.used.of(resource) >= cap && (self.refills_in_ms.is_none() || cap == 0);
        self.caps.of(resource).is_some_and(full)
    }

    /// How much of a resource is left beside what is used and held.
    pub fn left(&self, resource: Resource) -> Option<u64> {
        self.caps.minus(self.used.plus(self.held)).of(resource)
    }

    /// Why `wanted` of a resource is refused, if it is. Of what is held, `given_back` is held for the same purpose.
    pub fn refuses(
        &self,
        scope: Scope,
        resource: Resource,
        wanted: Amounts,
        given_back: Amounts,
    ) -> Option<Refusal> {
        let cap = self.caps.of(resource)?;
        let (used, wanted) = (self.used.of(resource), wanted.of(resource));
        let taken = used.saturating_add(self.held.minus(given_back).of(resource));
        let remaining = cap.saturating_sub(taken);
        if used < cap && wanted <= remaining {
            return None;
        }
        let refillable = cap > 0 && wanted <= cap;
        Some(Refusal {
            scope,
            limit: Some(cap),
            used: Some(taken),
            remaining: Some(remaining),
            retry_after_ms: self.refills_in_ms.filter(|_| refillable),
            ..Refusal::plain(code(scope, resource), words(scope, resource, cap, remaining, wanted))
        })
    }

    /// As participants and operators are told it.
    pub fn remaining(&self) -> Remaining {
        Remaining {
            limit: self.caps,
            used: self.used,
            held: self.held,
            remaining: self.caps.minus(self.used.plus(self.held)),
        }
    }
}

fn code(scope: Scope, resource: Resource) -> Code {
    match (resource, scope) {
        (Resource::Messages, Scope::Participant) => Code::ParticipantLimit,
        (Resource::Messages, _) => Code::TotalLimit,
        (Resource::Tokens, _) => Code::TokenLimit,
        (Resource::CostMicros, _) => Code::CostLimit,
    }
}

fn words(scope: Scope, resource: Resource, cap: u64, remaining: u64, wanted: u64) -> String {
    let whose = match scope {
        Scope::Participant => "this participant has",
        Scope::Conversation => "the conversation has",
        Scope::Tree => "the conversations of this tree have",
        Scope::Owner => "the conversations of this owner have",
    };
    let what = match resource {
        Resource::Messages => "messages",
        Resource::Tokens => "tokens",
        Resource::CostMicros => "micro-units of money",
    };
    format!("{whose} {remaining} of {cap} {what} left, and this takes {wanted}")
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
