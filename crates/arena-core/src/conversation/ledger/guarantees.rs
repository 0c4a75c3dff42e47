//! Messages that each of the roster is sure of: how many of them are still owed.

use super::budget::{Budget, Tally};
use super::{Ledger, Moment};

impl Ledger {
    /// How many messages are owed to the whole roster at a moment: a number that is kept, but for windows that have
    /// passed unwritten.
    pub(super) fn owed_to_all(&self, moment: Moment) -> u64 {
        match self.owed {
            Some(owed) if !moment.refilled => owed,
            _ => self.roster.iter().fold(0, |sum, seat| sum.saturating_add(self.owed_to(seat, moment))),
        }
    }

    /// How many of the messages that somebody is sure of they have neither used nor held; nobody outside the roster is
    /// sure of any.
    pub(super) fn owed_to(&self, seat: usize, moment: Moment) -> u64 {
        match self.roster.contains(seat) {
            true => self.owed_beside(self.person_budget(seat, moment)),
            false => 0,
        }
    }

    /// How many are owed to whoever has this budget.
    pub(super) fn owed_beside(&self, budget: Budget) -> u64 {
        if budget.spent().is_some() {
            return 0;
        }
        let sure = self.setup.limits.guaranteed_per_participant;
        sure.saturating_sub(budget.used.plus(budget.held).messages)
    }

    /// Changes what one person has used or holds.
    pub(super) fn count(&mut self, seat: usize, change: impl FnOnce(&mut Tally)) {
        let moment = self.moment(self.at);
        let before = self.owed.map(|_| self.owed_to(seat, moment));
        change(&mut self.people.at_mut(seat).tally);
        if let (Some(owed), Some(before)) = (self.owed, before) {
            self.owed = Some(owed.saturating_sub(before).saturating_add(self.owed_to(seat, moment)));
        }
    }

    /// After the roster, caps or the window have changed: adds up what is owed, where anything is guaranteed.
    pub(super) fn add_up_owed(&mut self) {
        self.owed = None;
        if self.setup.limits.guaranteed_per_participant > 0 {
            self.owed = Some(self.owed_to_all(self.moment(self.at)));
        }
    }
}
