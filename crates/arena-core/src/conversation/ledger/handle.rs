//! What becomes of a command.

use super::super::{
    Accounts, Code, Command, Entry, Notice, ParticipantId, Refusal, ReservationId, Say, Setup,
};
use super::{Ledger, Moment};
use crate::Timestamp;

/// What came of a command.
#[derive(Debug)]
pub struct Handled {
    /// What is to be written to the log, in this order, also where the command was refused: things that were due are
    /// done first. The ledger has them already.
    pub entries: Vec<Entry>,
    /// Whether it was done.
    pub outcome: Result<Done, Refusal>,
}

/// What a receipt tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Which of [`Handled::entries`] is the one that was asked for; `None` where nothing had to be written for it.
    pub entry: Option<usize>,
    /// Warnings to whoever asked: of their own budgets and of the conversation's.
    pub notices: Vec<Notice>,
    /// Whose turn it is now.
    pub turn: Option<ParticipantId>,
    /// What is held now, and until when.
    pub reservation: Option<(ReservationId, Timestamp)>,
}

/// A ledger, the shared budgets and the time: what it takes to do something.
pub(super) struct Hand<'a> {
    pub ledger: &'a mut Ledger,
    pub accounts: &'a mut Accounts,
    pub now: Timestamp,
    pub entries: Vec<Entry>,
}

impl Ledger {
    /// Does what is due and then what is asked for, or refuses it. `accounts` are those of [`Ledger::accounts`], as far
    /// as they exist; one that is missing limits nothing and counts nothing. `actor` is written down with changes and
    /// top-ups. That a message is a repeat is for the caller to see.
    pub fn handle(
        &mut self,
        command: &Command,
        actor: &str,
        accounts: &mut Accounts,
        now: Timestamp,
    ) -> Handled {
        let mut hand = Hand { ledger: self, accounts, now, entries: Vec::new() };
        hand.advance();
        let outcome = hand.run(command, actor);
        let Hand { ledger, entries, .. } = hand;
        let outcome = outcome.map(|done| Done { turn: ledger.turn().cloned(), ..done });
        Handled { entries, outcome }
    }

    /// Whether a message would be let through now. Changes nothing.
    pub fn check(&self, say: &Say, accounts: &Accounts, now: Timestamp) -> Result<(), Refusal> {
        self.as_of(accounts, now, |ledger, accounts, moment| {
            ledger.admit_message(say, accounts, moment).map(drop)
        })
    }

    /// Looks at it as it will be when what is due by now is done: at a copy, where anything is.
    pub(super) fn as_of<T>(
        &self,
        accounts: &Accounts,
        now: Timestamp,
        look: impl FnOnce(&Ledger, &Accounts, Moment) -> T,
    ) -> T {
        let moment = self.moment(now);
        if self.due().is_none_or(|due| due > moment.at) {
            return look(self, accounts, moment);
        }
        let (mut ledger, mut accounts) = (self.clone(), self.own(accounts));
        Hand { ledger: &mut ledger, accounts: &mut accounts, now, entries: Vec::new() }.advance();
        look(&ledger, &accounts, ledger.moment(now))
    }

    /// Copies of its accounts, of all that there are.
    fn own(&self, accounts: &Accounts) -> Accounts {
        let own = self.accounts().filter_map(|id| accounts.get_key_value(&id));
        own.map(|(id, account)| (id.clone(), account.clone())).collect()
    }
}

/// What stands in the log of a new conversation.
pub(super) fn first_entries(mut ledger: Ledger, setup: Setup, now: Timestamp) -> (Ledger, Vec<Entry>) {
    let entries = vec![Entry::Created(Box::new(setup))];
    let mut hand = Hand { ledger: &mut ledger, accounts: &mut Accounts::new(), now, entries };
    hand.settle();
    let entries = hand.entries;
    (ledger, entries)
}

impl Hand<'_> {
    pub fn moment(&self) -> Moment {
        self.ledger.moment(self.now)
    }

    /// Writes an entry and gives its place.
    pub fn write(&mut self, entry: Entry) -> usize {
        self.write_known(entry, None)
    }

    /// As [`Hand::write`], with the fingerprint of its text.
    pub fn write_known(&mut self, entry: Entry, print: Option<u64>) -> usize {
        self.ledger.apply_known(&entry, self.now, print);
        self.entries.push(entry);
        self.entries.len() - 1
    }

    fn run(&mut self, command: &Command, actor: &str) -> Result<Done, Refusal> {
        match command {
            Command::Say(say) => self.say(say),
            Command::SaySystem { id, text, data } => self.say_system(id.as_ref(), text, data.as_deref()),
            Command::Reserve(reserve) => self.reserve(reserve),
            Command::Release { participant, id } => self.release(participant, id),
            Command::AddParticipant(participant) => self.add_participant(participant),
            Command::RemoveParticipant(participant) => self.remove_participant(participant),
            Command::Configure(change) => self.configure(change, actor),
            Command::TopUp(by) => self.top_up(by, actor),
            Command::GiveTurn(participant) => self.give_turn(participant),
            Command::Close => self.close(super::ExhaustedBy::ClosedByModerator),
            Command::End => self.close(super::ExhaustedBy::Ended),
            Command::Reopen => self.reopen(),
            Command::Advance => Ok(Done::default()),
        }
    }
}

impl Done {
    /// Done by this entry.
    pub(super) fn by(entry: usize) -> Done {
        Done { entry: Some(entry), ..Done::default() }
    }
}

/// It makes no sense now.
pub(super) fn wrong_state(words: &str) -> Refusal {
    Refusal::plain(Code::WrongState, words)
}
