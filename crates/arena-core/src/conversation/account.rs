//! Budgets that several conversations share.

use super::validate::fits;
use super::{Amounts, Caps, ConversationId, ParticipantId, Resource, SetupError};
use crate::Timestamp;
use crate::ids::ParseIdError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Whose budget it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AccountId {
    /// `owner:<owner>`: of all conversations of this owner.
    Owner(ParticipantId),
    /// `tree:<conversation>`: of this conversation and everything under it.
    Tree(ConversationId),
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountId::Owner(owner) => write!(f, "owner:{owner}"),
            AccountId::Tree(root) => write!(f, "tree:{root}"),
        }
    }
}

impl FromStr for AccountId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("owner", owner)) => owner.parse().map(AccountId::Owner),
            Some(("tree", root)) => root.parse().map(AccountId::Tree),
            _ => Err(ParseIdError::new("budget id (owner:<owner> or tree:<conversation>)", text)),
        }
    }
}

impl TryFrom<String> for AccountId {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> String {
        id.to_string()
    }
}

/// The accounts at hand, by their ids. One that is missing limits nothing.
pub type Accounts = BTreeMap<AccountId, Account>;

/// A budget that several conversations share. Unlike a conversation it is never exhausted: it refuses while it is
/// empty, and goes on when it is topped up or refills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What may be used, in each window where it refills.
    pub caps: Caps,
    /// It begins anew every so often, in milliseconds from `since`.
    pub refill_every_ms: Option<u64>,
    /// When it was made.
    pub since: Timestamp,
    /// The window that `used` counts in.
    pub window: u64,
    /// Used in that window.
    pub used: Amounts,
    /// Held by reservations.
    pub held: Amounts,
}

impl Account {
    /// Whether there can be a budget like this: all caps can be, but windows last between 1 ms and ten years. For whoever
    /// lets budgets be configured, before [`Account::new`] and [`Account::configure`].
    pub fn check(_caps: Caps, refill_every_ms: Option<u64>) -> Result<(), SetupError> {
        match refill_every_ms {
            Some(ms) if !fits(ms) => Err(SetupError::Duration("refill_every_ms")),
            _ => Ok(()),
        }
    }

    /// An unused one.
    pub fn new(caps: Caps, refill_every_ms: Option<u64>, now: Timestamp) -> Account {
        Account {
            caps,
            refill_every_ms,
            since: now,
            window: 0,
            used: Amounts::default(),
            held: Amounts::default(),
        }
    }

    /// Begins the present window, if an earlier one was counted in. A clock that goes back begins none.
    pub fn turn_to(&mut self, now: Timestamp) {
        let window = self.window_at(now);
        if window > self.window {
            (self.window, self.used) = (window, Amounts::default());
        }
    }

    /// Replaces its caps and windows; what is used and held in the present window stays.
    pub fn configure(&mut self, caps: Caps, refill_every_ms: Option<u64>, now: Timestamp) {
        self.turn_to(now);
        (self.caps, self.refill_every_ms) = (caps, refill_every_ms);
        self.window = self.window_at(now);
    }

    fn window_at(&self, now: Timestamp) -> u64 {
        self.refill_every_ms.map_or(0, |every| elapsed(self.since, now) / every.max(1))
    }

    /// How long until it refills, in milliseconds.
    pub fn refills_in_ms(&self, now: Timestamp) -> Option<u64> {
        self.refill_every_ms.map(|every| every - elapsed(self.since, now) % every.max(1))
    }

    /// What would not fit. `given_back` is what a reservation holds of it for the same purpose.
    pub fn refuses(&self, wanted: Amounts, given_back: Amounts) -> Option<Resource> {
        self.caps.refuses(self.used.plus(self.held).minus(given_back), wanted)
    }
}

/// Milliseconds from one time to a later one; 0 where the clock went back.
pub(super) fn elapsed(since: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Setup;

    #[test]
    fn windows_of_shared_budgets_are_neither_nothing_nor_endless() {
        let check = |ms| Account::check(Caps::default(), ms);
        for good in [None, Some(1), Some(Setup::MAX_DURATION_MS)] {
            assert_eq!(check(good), Ok(()));
        }
        for bad in [0, Setup::MAX_DURATION_MS + 1, u64::MAX] {
            assert_eq!(check(Some(bad)), Err(SetupError::Duration("refill_every_ms")));
        }
    }
}
