//! What becomes due by itself: leases lapse, time runs out, turns pass.

use super::super::{Amounts, Entry, ExhaustedBy, Released, Turn};
use super::Ledger;
use super::handle::Hand;
use super::holds::Hold;
use crate::Timestamp;

impl Ledger {
    /// When something is due without anybody's asking: the end of its time or patience, of a lease, of a turn. At its
    /// end only leases are.
    pub fn due(&self) -> Option<Timestamp> {
        let lease = self.holds.iter().map(|hold| hold.until).min();
        let others = match self.exhausted {
            Some(_) => [None, None],
            None => [self.time_ends(), self.turn_ends()],
        };
        lease.into_iter().chain(others.into_iter().flatten()).min()
    }
}

impl Hand<'_> {
    /// Does what is due.
    pub fn advance(&mut self) {
        let now = self.moment().at;
        while let Some(hold) = self.ledger.holds.iter().find(|hold| hold.until <= now).cloned() {
            self.give_back(&hold, true);
        }
        if self.ledger.exhausted.is_some() {
            return;
        }
        if self.ledger.ended(self.moment()).is_some() {
            self.exhaust(ExhaustedBy::Timeout);
        } else if self.ledger.turn_ends().is_some_and(|end| end <= now) {
            self.skip();
        }
    }

    /// Ends a reservation that was not spent.
    pub fn give_back(&mut self, hold: &Hold, lapsed: bool) -> usize {
        hold.give_back(self.accounts);
        let participant = self.ledger.people.at(hold.who).id.clone();
        self.write(Entry::Released(Released { id: hold.id.clone(), participant, lapsed }))
    }

    /// Passes the turn on from somebody who did not use it.
    pub fn skip(&mut self) {
        let Some(holder) = self.ledger.word.holder() else { return };
        let next = self.ledger.next_turn_without(holder, self.moment());
        self.write(Entry::Turn(Turn {
            participant: next.map(|seat| self.ledger.people.at(seat).id.clone()),
            skipped: Some(self.ledger.people.at(holder).id.clone()),
        }));
    }

    /// Counts what was used against shared budgets.
    pub fn charge_shared(&mut self, cost: Amounts) {
        if self.accounts.is_empty() {
            return;
        }
        let now = self.moment().at;
        for id in self.ledger.accounts() {
            if let Some(account) = self.accounts.get_mut(&id) {
                account.turn_to(now);
                account.used = account.used.plus(cost);
            }
        }
    }
}
