//! Budgets that are spent: who is blocked, what is at its end, and what opens again.

use super::super::{
    Blocked, Entry, Exhausted, ExhaustedBy, FinalCount, ParticipantId, Resource, Scope, Turn, TurnPolicy,
};
use super::admit::spent_resource;
use super::budget::Budget;
use super::handle::Hand;
use super::people::Person;
use super::{Ledger, Moment, after_ms};

/// So many participants are counted at the end, those who said most.
const FINAL_COUNTS: usize = 100;

impl Ledger {
    /// What of the total is spent for good.
    fn total_end(&self, moment: Moment) -> Option<ExhaustedBy> {
        self.total_budget(moment).spent_for_good().map(|resource| match resource {
            Resource::Messages => ExhaustedBy::TotalLimit,
            Resource::Tokens => ExhaustedBy::TokenLimit,
            Resource::CostMicros => ExhaustedBy::CostLimit,
        })
    }

    /// Whether everybody in the roster has spent their share for good.
    fn all_spent(&self, moment: Moment) -> bool {
        let spent = |seat: usize| self.person_budget(seat, moment).spent_for_good().is_some();
        !self.roster.is_empty() && self.roster.iter().all(spent)
    }

    /// Whether what ended it would not end it now.
    fn is_cured(&self, by: ExhaustedBy, moment: Moment) -> bool {
        let total = self.total_budget(moment);
        match by {
            ExhaustedBy::ClosedByModerator | ExhaustedBy::Ended => false,
            ExhaustedBy::Timeout => self.time_ends().is_none_or(|end| end > moment.at),
            ExhaustedBy::AllParticipantsExhausted => !self.all_spent(moment),
            ExhaustedBy::TotalLimit | ExhaustedBy::TokenLimit | ExhaustedBy::CostLimit => {
                spent_resource(by).is_none_or(|resource| !total.is_spent_for_good(resource))
            }
        }
    }

    fn final_counts(&self) -> Vec<FinalCount> {
        let mut counted: Vec<&Person> = self.everybody().map(|seat| self.people.at(seat)).collect();
        if counted.len() > FINAL_COUNTS {
            counted.sort_by_key(|person| std::cmp::Reverse(person.tally.ever().messages));
            counted.truncate(FINAL_COUNTS);
        }
        let count =
            |person: &Person| FinalCount { participant: person.id.clone(), used: person.tally.ever() };
        counted.into_iter().map(count).collect()
    }
}

impl Hand<'_> {
    /// Ends the conversation.
    pub fn exhaust(&mut self, reason: ExhaustedBy) -> usize {
        let (used, participants) = (self.ledger.total.ever(), self.ledger.final_counts());
        self.write(Entry::Exhausted(Exhausted { reason, used, participants }))
    }

    /// After a message of this participant: says what it spent.
    pub fn settle_message(&mut self, author: usize) {
        let blocked = self.block(author);
        if let Some(reason) = self.ledger.total_end(self.moment()) {
            self.exhaust(reason);
            return;
        }
        self.block_all();
        if blocked && self.ledger.all_spent(self.moment()) {
            self.exhaust(ExhaustedBy::AllParticipantsExhausted);
        }
    }

    /// After caps, the roster or the end have changed: says what is spent now, and gives a turn that nobody has.
    pub fn settle(&mut self) {
        if self.ledger.exhausted.is_some() {
            return;
        }
        let moment = self.moment();
        if let Some(reason) = self.ledger.ended(moment).or_else(|| self.ledger.total_end(moment)) {
            self.exhaust(reason);
            return;
        }
        for seat in self.ledger.members() {
            self.block(seat);
        }
        self.block_all();
        if self.ledger.all_spent(self.moment()) {
            self.exhaust(ExhaustedBy::AllParticipantsExhausted);
            return;
        }
        self.settle_turn();
    }

    /// Opens it again if what ended it is gone.
    pub fn reopen_if_cured(&mut self) {
        if self.ledger.exhausted.is_some_and(|by| self.ledger.is_cured(by, self.moment())) {
            self.write(Entry::Reopened);
        }
    }

    /// Says that a participant's share is spent, if it is and was not said.
    fn block(&mut self, seat: usize) -> bool {
        let person = self.ledger.people.at(seat);
        let budget = self.ledger.person_budget(seat, self.moment());
        if person.tally.blocked {
            return false;
        }
        let participant = person.id.clone();
        self.say_spent(budget, Some(participant))
    }

    /// Says that the conversation's budget is spent until it refills, if it is and was not said.
    fn block_all(&mut self) {
        let budget = self.ledger.total_budget(self.moment());
        if !self.ledger.total.blocked {
            self.say_spent(budget, None);
        }
    }

    fn say_spent(&mut self, budget: Budget, participant: Option<ParticipantId>) -> bool {
        let Some(resource) = budget.spent_for_good().or_else(|| budget.spent()) else { return false };
        let refills = budget.refills_in_ms.filter(|_| !budget.is_spent_for_good(resource));
        let scope = if participant.is_some() { Scope::Participant } else { Scope::Conversation };
        let until_ms = refills.map(|ms| after_ms(self.moment().at, ms));
        self.write(Entry::Blocked(Blocked { scope, participant, resource, until_ms }));
        true
    }

    fn settle_turn(&mut self) {
        let moment = self.moment();
        match self.ledger.word.holder() {
            Some(holder) if self.ledger.person_budget(holder, moment).spent().is_some() => self.skip(),
            Some(_) => {}
            None if self.ledger.setup.turns.policy == TurnPolicy::Moderator => {}
            None => {
                let next = self.ledger.next_turn(self.ledger.last_speaker, None, moment);
                if let Some(next) = next {
                    let participant = Some(self.ledger.people.at(next).id.clone());
                    self.write(Entry::Turn(Turn { participant, skipped: None }));
                }
            }
        }
    }
}
