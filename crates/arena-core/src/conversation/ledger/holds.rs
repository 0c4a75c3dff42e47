//! Reservations: parts of the budgets that are held while a message is being written.

use super::super::{AccountId, Accounts, Amounts, ReservationId, Reserved};
use super::Ledger;
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// So many are held at once in one conversation; more are refused.
pub(super) const MAX_HELD: usize = 64;
/// So many by one participant, so that nobody keeps the others from reserving.
pub(super) const MAX_HELD_EACH: usize = 8;

/// What is held for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    pub id: ReservationId,
    pub who: usize,
    pub amounts: Amounts,
    pub until: Timestamp,
    /// The shared budgets that it is held in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountId>,
}

impl Hold {
    /// Gives back what it holds of shared budgets.
    pub fn give_back(&self, accounts: &mut Accounts) {
        for id in &self.accounts {
            if let Some(account) = accounts.get_mut(id) {
                account.held = account.held.minus(self.amounts);
            }
        }
    }
}

impl Ledger {
    /// Gives back what all its reservations hold of shared budgets: for whoever deletes the conversation, whose leases
    /// nobody will end any more. The ledger itself stays as it is and is of no use afterwards.
    pub fn give_back(&self, accounts: &mut Accounts) {
        self.holds.iter().for_each(|hold| hold.give_back(accounts));
    }

    pub(super) fn hold(&self, id: &ReservationId) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.id == *id)
    }

    /// What somebody holds under this name.
    pub(super) fn hold_of(&self, seat: Option<usize>, id: &ReservationId) -> Option<&Hold> {
        self.hold(id).filter(|hold| Some(hold.who) == seat)
    }

    pub(super) fn take_hold(&mut self, reserved: &Reserved) {
        let who = self.place_of(&reserved.participant);
        self.count(who, |tally| tally.held = tally.held.plus(reserved.amounts));
        self.total.held = self.total.held.plus(reserved.amounts);
        self.holds.push(Hold {
            id: reserved.id.clone(),
            who,
            amounts: reserved.amounts,
            until: reserved.until_ms,
            accounts: reserved.accounts.clone(),
        });
    }

    pub(super) fn drop_hold(&mut self, id: &ReservationId) {
        let Some(at) = self.holds.iter().position(|hold| hold.id == *id) else { return };
        let hold = self.holds.remove(at);
        self.count(hold.who, |tally| tally.held = tally.held.minus(hold.amounts));
        self.total.held = self.total.held.minus(hold.amounts);
        self.silent_since = self.silent_since.max(hold.until.min(self.at));
    }
}
