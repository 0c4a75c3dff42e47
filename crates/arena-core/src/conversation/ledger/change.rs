//! What is asked of a conversation by whoever runs it.

use super::super::{
    Amounts, Entry, ExhaustedBy, ParticipantId, Refusal, Resource, Scope, Setup, SetupChange, SetupError,
    TopUp, Turn, TurnPolicy,
};
use super::Ledger;
use super::handle::{Done, Hand, wrong_state};
use super::holds::Hold;

impl Hand<'_> {
    /// Adds somebody to the roster.
    pub fn add_participant(&mut self, participant: &ParticipantId) -> Result<Done, Refusal> {
        let ledger = &*self.ledger;
        let seat = ledger.people.find(participant);
        if seat.is_some_and(|seat| ledger.in_roster(seat)) {
            return Ok(Done::default());
        }
        if seat.is_none() {
            ledger.has_place()?;
        }
        let mut setup = ledger.setup.clone();
        setup.participants.push(participant.clone());
        setup.validate()?;
        let entry = self.write(Entry::Added(participant.clone()));
        self.reopen_if_cured();
        self.settle();
        Ok(Done::by(entry))
    }

    /// Takes somebody from the roster; what they hold is given back, and their turn passes on.
    pub fn remove_participant(&mut self, participant: &ParticipantId) -> Result<Done, Refusal> {
        let ledger = &*self.ledger;
        let seat = ledger.people.find(participant).filter(|seat| ledger.in_roster(*seat));
        let seat = seat.ok_or_else(|| Refusal::not_a_participant(participant))?;
        if ledger.roster.len() == 1 {
            return Err(wrong_state("the last participant stays, or anybody might speak; close it instead"));
        }
        let had_turn = ledger.word.holder() == Some(seat);
        let next = ledger.next_turn_without(seat, self.moment());
        let held: Vec<Hold> = ledger.holds.iter().filter(|hold| hold.who == seat).cloned().collect();
        for hold in &held {
            self.give_back(hold, false);
        }
        let entry = self.write(Entry::Removed(participant.clone()));
        if had_turn && self.ledger.exhausted.is_none() {
            let participant = next.map(|seat| self.ledger.people.at(seat).id.clone());
            self.write(Entry::Turn(Turn { participant, skipped: None }));
        }
        self.settle();
        Ok(Done::by(entry))
    }

    /// Replaces parts of the setup. Counters stay.
    pub fn configure(&mut self, change: &SetupChange, actor: &str) -> Result<Done, Refusal> {
        if *change == SetupChange::default() {
            return Ok(Done::default());
        }
        self.ledger.setup.changed(change).validate()?;
        let change = Box::new(change.clone());
        let entry = self.write(Entry::Configured { actor: actor.to_owned(), change });
        self.reopen_if_cured();
        self.settle();
        Ok(Done::by(entry))
    }

    /// Raises budgets.
    pub fn top_up(&mut self, by: &TopUp, actor: &str) -> Result<Done, Refusal> {
        if matches!(self.ledger.exhausted, Some(ExhaustedBy::ClosedByModerator | ExhaustedBy::Ended)) {
            return Err(wrong_state("it was closed: reopen it first, then top it up"));
        }
        self.ledger.can_top_up(by)?;
        let entry = self.write(Entry::ToppedUp { actor: actor.to_owned(), by: by.clone() });
        self.reopen_if_cured();
        self.settle();
        Ok(Done::by(entry))
    }

    /// Gives somebody the word.
    pub fn give_turn(&mut self, participant: &ParticipantId) -> Result<Done, Refusal> {
        let moment = self.moment();
        self.ledger.is_open(moment)?;
        if self.ledger.setup.turns.policy == TurnPolicy::Free {
            return Err(wrong_state("no turns are taken here: everybody may speak"));
        }
        let seat = self.ledger.people.find(participant).filter(|seat| self.ledger.in_roster(*seat));
        let seat = seat.ok_or_else(|| Refusal::not_a_participant(participant))?;
        let budget = self.ledger.person_budget(seat, moment);
        if let Some(resource) = budget.spent() {
            let wanted = Setup::ONE_MESSAGE;
            budget.refuses(Scope::Participant, resource, wanted, Amounts::default()).map_or(Ok(()), Err)?;
        }
        let turn = Turn { participant: Some(participant.clone()), skipped: None };
        Ok(Done::by(self.write(Entry::Turn(turn))))
    }

    /// Ends it, by somebody's will.
    pub fn close(&mut self, reason: ExhaustedBy) -> Result<Done, Refusal> {
        match self.ledger.exhausted {
            Some(by) => Err(wrong_state(&format!("it is at its end already: {}", by.as_str()))),
            None => Ok(Done::by(self.exhaust(reason))),
        }
    }

    /// Opens it again after it was closed.
    pub fn reopen(&mut self) -> Result<Done, Refusal> {
        match self.ledger.exhausted {
            Some(ExhaustedBy::ClosedByModerator | ExhaustedBy::Ended) => {
                let entry = self.write(Entry::Reopened);
                self.settle();
                Ok(Done::by(entry))
            }
            Some(_) => Err(wrong_state("nobody closed it: top it up to go on")),
            None => Err(wrong_state("it is open")),
        }
    }
}

impl Ledger {
    fn can_top_up(&self, by: &TopUp) -> Result<(), SetupError> {
        let none = Amounts::default();
        let own = by.participants.iter().all(|(_, amounts)| *amounts == none);
        if by.total == none && by.per_participant == none && by.duration_ms == 0 && own {
            return Err(SetupError::EmptyTopUp);
        }
        let (got, max) = (by.participants.len(), Setup::MAX_PARTICIPANTS);
        if got > max {
            return Err(SetupError::TooManyParticipants { got, max });
        }
        let limits = &self.setup.limits;
        let limited = |caps: &super::Caps, by: Amounts, names: [&'static str; 3]| {
            let all = Resource::ALL.into_iter().zip(names);
            let mut free = all.filter(|(resource, _)| by.of(*resource) > 0 && caps.of(*resource).is_none());
            free.next().map_or(Ok(()), |(_, name)| Err(SetupError::Unlimited(name)))
        };
        limited(&limits.total, by.total, TOTAL)?;
        limited(&limits.per_participant, by.per_participant, EACH)?;
        for (participant, amounts) in &by.participants {
            let seat = self.people.find(participant);
            if seat.is_none_or(|seat| !self.roster.is_empty() && !self.in_roster(seat)) {
                return Err(SetupError::NoSuchParticipant(participant.clone()));
            }
            limited(&limits.per_participant, *amounts, EACH)?;
        }
        match limits.max_duration_ms {
            None if by.duration_ms > 0 => Err(SetupError::Unlimited("max_duration_ms")),
            Some(ms) if ms.saturating_add(by.duration_ms) > Setup::MAX_DURATION_MS => {
                Err(SetupError::Duration("max_duration_ms"))
            }
            _ => Ok(()),
        }
    }
}

/// The totals' names on the wire, in the order of [`Resource::ALL`].
const TOTAL: [&str; 3] = ["max_total_messages", "max_total_tokens", "max_total_cost_micros"];
/// The shares' names on the wire, in the order of [`Resource::ALL`].
const EACH: [&str; 3] =
    ["max_replies_per_participant", "max_tokens_per_participant", "max_cost_micros_per_participant"];
