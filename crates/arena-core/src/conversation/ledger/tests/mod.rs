//! The ledger seen from outside: commands in, entries and refusals out.

mod budgets;
mod crowds;
mod ends;
mod entries;
mod loops;
mod model;
mod notices;
mod reservations;
mod roster;
mod table;
mod turns;

use super::super::*;
use super::{Done, Handled, Ledger};
use crate::Timestamp;

/// A conversation, its log and its clock. Every command is followed by a check that the log makes the same ledger.
pub(super) struct Talk {
    pub ledger: Ledger,
    pub accounts: Accounts,
    pub now: i64,
    pub log: Vec<(Entry, Timestamp)>,
}

pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Messages for each, messages in all; negative is unlimited.
pub(super) fn limits(each: i64, all: i64) -> Limits {
    let cap = |number| u64::try_from(number).ok();
    Limits {
        per_participant: Caps { messages: cap(each), ..Caps::default() },
        total: Caps { messages: cap(all), ..Caps::default() },
        ..Limits::default()
    }
}

pub(super) fn roster(names: &str) -> Vec<ParticipantId> {
    names.split_whitespace().map(id).collect()
}

pub(super) fn say(who: &str, text: &str) -> Say {
    Say {
        author: id(who),
        id: None,
        text: text.to_owned(),
        data: None,
        tokens: 0,
        cost_micros: 0,
        reservation: None,
    }
}

impl Talk {
    pub fn new(names: &str, limits: Limits) -> Talk {
        Talk::of(Setup { participants: roster(names), limits, ..Setup::default() })
    }

    pub fn of(setup: Setup) -> Talk {
        let now = 1_000_000;
        let (ledger, entries) = Ledger::create(setup, &id("talk"), Timestamp(now)).unwrap();
        let log = entries.into_iter().map(|entry| (entry, Timestamp(now))).collect();
        let talk = Talk { ledger, accounts: Accounts::new(), now, log };
        talk.replay();
        talk
    }

    pub fn handle(&mut self, command: Command) -> Handled {
        let handled = self.ledger.handle(&command, "operator", &mut self.accounts, Timestamp(self.now));
        self.log.extend(handled.entries.iter().map(|entry| (entry.clone(), Timestamp(self.now))));
        self.replay();
        handled
    }

    /// What the log adds up to, read from its JSON.
    pub fn replay(&self) {
        let lines = self.log.iter().map(|(entry, at)| (entry.event(), entry.body(), *at));
        let mut lines = lines.map(|(event, body, at)| (Entry::read(event, &body).unwrap(), at));
        let (first, at) = lines.next().unwrap();
        let mut again = Ledger::open(&first, at).unwrap();
        lines.for_each(|(entry, at)| again.apply(&entry, at));
        assert_eq!(again, self.ledger);
        assert_eq!(again.position(), self.log.len() as u64);
        let checkpoint = serde_json::to_string(&self.ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&checkpoint).unwrap(), self.ledger);
    }

    pub fn say(&mut self, who: &str) -> Result<Done, Refusal> {
        let text = format!("message {}", self.log.len());
        self.say_this(say(who, &text))
    }

    pub fn say_this(&mut self, say: Say) -> Result<Done, Refusal> {
        let foreseen = self.ledger.check(&say, &self.accounts, Timestamp(self.now));
        let outcome = self.handle(Command::Say(say)).outcome;
        assert_eq!(foreseen, outcome.clone().map(drop), "asked beforehand, the answer is the same");
        outcome
    }

    pub fn refused(&mut self, who: &str) -> Code {
        self.say(who).expect_err("it should have been refused").code
    }

    pub fn share(&self, who: &str) -> Share {
        self.ledger.share(&id(who), &self.accounts, Timestamp(self.now))
    }

    pub fn capacity(&self) -> Capacity {
        self.ledger.capacity(&self.accounts, Timestamp(self.now))
    }

    /// What the log says, in one word for each line.
    pub fn events(&self) -> Vec<&'static str> {
        self.log.iter().map(|(entry, _)| entry.event()).collect()
    }

    pub fn count(&self, event: &str) -> usize {
        self.events().into_iter().filter(|name| *name == event).count()
    }
}
