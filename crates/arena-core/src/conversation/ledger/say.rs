//! Messages and reservations: checked, charged and written in one step.

use super::super::{
    AccountId, Amounts, Code, Entry, Message, MessageId, Notice, ParticipantId, Refusal, ReservationId,
    Reserve, Reserved, Say, SystemMessage,
};
use super::admit::Ask;
use super::handle::{Done, Hand};
use super::holds::{Hold, MAX_HELD, MAX_HELD_EACH};
use super::turns::Saying;
use super::{Ledger, Moment, after_ms};
use serde_json::value::RawValue;

impl Hand<'_> {
    /// A participant says something.
    pub fn say(&mut self, say: &Say) -> Result<Done, Refusal> {
        let moment = self.moment();
        let print = self.ledger.admit_message(say, self.accounts, moment)?;
        let author = self.ledger.people.find(&say.author);
        let hold = say.reservation.as_ref().and_then(|id| self.ledger.hold_of(author, id)).cloned();
        let message = self.ledger.message(say, author, hold.as_ref(), moment);
        if let Some(hold) = &hold {
            hold.give_back(self.accounts);
        }
        self.charge_shared(say.cost());
        let notices = heard_by(&say.author, &message.notices);
        let entry = self.write_known(Entry::Message(message), print);
        if let Some(author) = self.ledger.people.find(&say.author) {
            self.settle_message(author);
        }
        Ok(Done { notices, ..Done::by(entry) })
    }

    /// The system says something.
    pub fn say_system(
        &mut self,
        id: Option<&MessageId>,
        text: &str,
        data: Option<&RawValue>,
    ) -> Result<Done, Refusal> {
        let open = self.ledger.is_open(self.moment());
        open.map_err(|refusal| Refusal { message_id: id.cloned(), ..refusal })?;
        let message =
            SystemMessage { id: id.cloned(), text: text.to_owned(), data: data.map(ToOwned::to_owned) };
        Ok(Done::by(self.write(Entry::System(message))))
    }

    /// Holds a part of the budgets.
    pub fn reserve(&mut self, reserve: &Reserve) -> Result<Done, Refusal> {
        if let Some(hold) = self.ledger.hold(&reserve.id) {
            return self.repeat(reserve, hold);
        }
        let moment = self.moment();
        self.ledger.may_reserve(reserve)?;
        let seat = self.ledger.people.find(&reserve.participant);
        let ask = Ask { who: &reserve.participant, seat, wanted: reserve.amounts, hold: None, owed: None };
        self.ledger.admit(&ask, self.accounts, moment)?;
        self.ledger.is_no_loop(seat, None, moment)?;
        let until_ms = after_ms(moment.at, reserve.lease_ms);
        let accounts = self.hold_shared(reserve.amounts);
        let entry = self.write(Entry::Reserved(Reserved {
            id: reserve.id.clone(),
            participant: reserve.participant.clone(),
            amounts: reserve.amounts,
            until_ms,
            accounts,
        }));
        Ok(Done { reservation: Some((reserve.id.clone(), until_ms)), ..Done::by(entry) })
    }

    /// Gives back what is held.
    pub fn release(&mut self, participant: &ParticipantId, id: &ReservationId) -> Result<Done, Refusal> {
        let seat = self.ledger.people.find(participant);
        let hold = self.ledger.hold_of(seat, id).cloned();
        let hold = hold.ok_or_else(|| Refusal::no_reservation(id))?;
        Ok(Done::by(self.give_back(&hold, false)))
    }

    /// The same reservation again, as long as it is held.
    fn repeat(&self, reserve: &Reserve, hold: &Hold) -> Result<Done, Refusal> {
        let same =
            self.ledger.people.at(hold.who).id == reserve.participant && hold.amounts == reserve.amounts;
        if !same {
            let words = format!("another reservation `{}` is held here", reserve.id);
            return Err(Refusal::plain(Code::IdConflict, words));
        }
        Ok(Done { reservation: Some((hold.id.clone(), hold.until)), ..Done::default() })
    }

    /// Holds it in shared budgets too; gives those that there are.
    fn hold_shared(&mut self, amounts: Amounts) -> Vec<AccountId> {
        let mut held = Vec::new();
        if self.accounts.is_empty() {
            return held;
        }
        for id in self.ledger.accounts() {
            if let Some(account) = self.accounts.get_mut(&id) {
                account.held = account.held.plus(amounts);
                held.push(id);
            }
        }
        held
    }
}

impl Ledger {
    fn message(&self, say: &Say, author: Option<usize>, hold: Option<&Hold>, moment: Moment) -> Message {
        let cost = say.cost();
        let given = hold.map_or(Amounts::default(), |hold| hold.amounts);
        let saying = author.map(|author| Saying { author, cost, text: &say.text });
        let turn = self.takes_turns().then(|| self.next_turn(author, saying, moment)).flatten();
        Message {
            id: say.id.clone(),
            author: say.author.clone(),
            text: say.text.clone(),
            data: say.data.clone(),
            tokens: say.tokens,
            cost_micros: say.cost_micros,
            reservation: hold.map(|hold| hold.id.clone()),
            turn: turn.map(|seat| self.people.at(seat).id.clone()),
            notices: self.notices(&say.author, cost, given, moment),
        }
    }

    fn may_reserve(&self, reserve: &Reserve) -> Result<(), Refusal> {
        let invalid = |words: String| Err(Refusal::plain(Code::Invalid, words));
        if reserve.amounts.messages == 0 {
            return invalid("a reservation holds at least the message itself".to_owned());
        }
        if !(1..=Reserve::MAX_LEASE_MS).contains(&reserve.lease_ms) {
            return invalid(format!("a lease is 1 to {} ms", Reserve::MAX_LEASE_MS));
        }
        if self.holds.len() >= MAX_HELD {
            return invalid(format!("{MAX_HELD} reservations are held here; release one first"));
        }
        let who = self.people.find(&reserve.participant);
        if self.holds.iter().filter(|hold| Some(hold.who) == who).count() >= MAX_HELD_EACH {
            let who = &reserve.participant;
            return invalid(format!("{who} holds {MAX_HELD_EACH} reservations; release one first"));
        }
        Ok(())
    }
}

/// Those of a message's notices that concern whoever said it.
fn heard_by(author: &ParticipantId, notices: &[Notice]) -> Vec<Notice> {
    let concerns = |notice: &&Notice| notice.participant.as_ref().is_none_or(|who| who == author);
    notices.iter().filter(concerns).cloned().collect()
}
