//! What is left, for whoever asks.

use super::super::{Accounts, Capacity, ParticipantId, Remaining, Setup, Share};
use super::admit::Ask;
use super::{Ledger, Moment, elapsed};
use crate::Timestamp;

impl Ledger {
    /// All budgets, and whether it is at its end.
    pub fn capacity(&self, accounts: &Accounts, now: Timestamp) -> Capacity {
        self.as_of(accounts, now, Ledger::capacity_at)
    }

    /// What all have left together.
    pub fn total(&self, now: Timestamp) -> Remaining {
        self.total_budget(self.moment(now)).remaining()
    }

    /// The roster; where there is none, whoever has spoken.
    pub fn participants(&self) -> impl Iterator<Item = &ParticipantId> {
        let all = (0..self.people.len()).filter(|seat| self.roster.is_empty() || self.in_roster(*seat));
        all.map(|seat| &self.people.at(seat).id)
    }

    /// What one participant has left, also one who has not spoken yet.
    pub fn share(&self, participant: &ParticipantId, accounts: &Accounts, now: Timestamp) -> Share {
        self.as_of(accounts, now, |ledger, accounts, moment| {
            ledger.share_at(participant, ledger.people.find(participant), None, accounts, moment)
        })
    }

    /// Who in the roster, or of those who have spoken, has spent their own share: whom it would be a waste to wake by
    /// a message, because they cannot answer.
    pub fn without_budget(&self, now: Timestamp) -> Vec<&ParticipantId> {
        let moment = self.moment(now);
        let limits = &self.setup.limits.per_participant;
        if *limits == Default::default() {
            return Vec::new();
        }
        let spent = |seat: &usize| self.person_budget(*seat, moment).spent().is_some();
        (0..self.people.len()).filter(spent).map(|seat| &self.people.at(seat).id).collect()
    }

    fn capacity_at(&self, accounts: &Accounts, moment: Moment) -> Capacity {
        let owed = Some(self.owed_to_all(moment));
        let ends = self.time_ends().filter(|_| self.exhausted.is_none());
        Capacity {
            total: self.total_budget(moment).remaining(),
            exhausted: self.exhausted.is_some(),
            reason: self.exhausted,
            ends_in_ms: ends.map(|end| elapsed(moment.at, end)),
            refills_in_ms: moment.refills_in_ms,
            turn: self.turn().cloned(),
            participants: self
                .everybody()
                .map(|seat| self.share_at(&self.people.at(seat).id, Some(seat), owed, accounts, moment))
                .collect(),
        }
    }

    fn share_at(
        &self,
        participant: &ParticipantId,
        seat: Option<usize>,
        owed: Option<u64>,
        accounts: &Accounts,
        moment: Moment,
    ) -> Share {
        let budget = self.share_budget(seat, moment);
        let hold = self.holds.iter().find(|hold| Some(hold.who) == seat);
        let ask = Ask { who: participant, seat, wanted: Setup::ONE_MESSAGE, hold, owed };
        let refusal = self.admit(&ask, accounts, moment).err();
        Share {
            participant: participant.clone(),
            budget: budget.remaining(),
            may_send: refusal.is_none(),
            reason: refusal.as_ref().map(|refusal| refusal.code),
            retry_after_ms: refusal.and_then(|refusal| refusal.retry_after_ms),
            exhausted: budget.spent_for_good().is_some(),
        }
    }
}
