//! What the log of a conversation adds up to, and what becomes of what is asked of it.
//!
//! **Entries only.** [`Ledger::apply`] is all that changes a ledger; [`Ledger::handle`] applies each entry that it
//! makes. So a log that is read again, from its beginning or from a checkpoint, gives the same ledger. Nothing else is
//! kept: windows that have passed, leases that have ended and turns that are over are worked out from the time that is
//! asked about until an entry writes them down.
//!
//! **Time** comes from the caller and never goes back here: a time before that of the last entry counts as the time of
//! that entry. A clock that is set back therefore refills no window twice.
//!
//! **Shared budgets** belong to the caller: [`Ledger::handle`] charges them, [`Ledger::apply`] does not.

mod admit;
mod advance;
mod apply;
mod budget;
mod change;
mod ends;
mod guarantees;
mod handle;
mod holds;
mod loops;
mod notices;
mod people;
mod places;
mod roster;
mod say;
#[cfg(test)]
mod tests;
mod turns;
mod view;

pub use handle::{Done, Handled};

use super::account::elapsed;
use super::{AccountId, Caps, ConversationId, Entry, ExhaustedBy, Notice, ParticipantId, Setup, SetupError};
use crate::Timestamp;
use budget::{Budget, Tally};
use holds::Hold;
use loops::Recent;
use people::{People, Person};
use roster::Roster;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use turns::Word;

/// A conversation as its log has made it. Its JSON is its checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    setup: Setup,
    created_at: Timestamp,
    /// How many entries made it.
    position: u64,
    /// The time of the last of them.
    at: Timestamp,
    /// Since when nobody has said anything, or been waited for while they held a reservation.
    silent_since: Timestamp,
    /// The window that is counted in.
    window: u64,
    total: Tally,
    people: People,
    /// The setup's participants as places in `people`.
    #[serde(default, skip_serializing_if = "Roster::is_empty")]
    roster: Roster,
    /// How many messages are owed to the roster, in the window that is counted in; `None` where none are guaranteed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owed: Option<u64>,
    #[serde(default, skip_serializing_if = "Word::is_free")]
    word: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_speaker: Option<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holds: Vec<Hold>,
    /// Notices that those whom they concern have not heard yet: the last speaker's, one for each resource at most,
    /// because each message carries all others away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<Notice>,
    #[serde(default, skip_serializing_if = "Recent::is_empty")]
    recent: Recent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exhausted: Option<ExhaustedBy>,
}

/// A time that is asked about, and what it means for the counters.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: Timestamp,
    window: u64,
    /// Whether that is another window than the one that was counted in last: all its counters are 0.
    refilled: bool,
    /// How long until the next window.
    refills_in_ms: Option<u64>,
}

impl Ledger {
    /// A new conversation and the first entries of its log: it is at its end at once where nobody may say anything.
    pub fn create(
        setup: Setup,
        id: &ConversationId,
        now: Timestamp,
    ) -> Result<(Ledger, Vec<Entry>), SetupError> {
        setup.validate()?;
        let root = setup.root.clone().unwrap_or_else(|| id.clone());
        let setup = Setup { root: Some(root), ..setup };
        let ledger = Ledger::created(&setup, now);
        Ok(handle::first_entries(ledger, setup, now))
    }

    /// The ledger after the first entry of a log; `None` if that is another entry. What follows is for
    /// [`Ledger::apply`].
    pub fn open(first: &Entry, at: Timestamp) -> Option<Ledger> {
        match first {
            Entry::Created(setup) => Some(Ledger::created(setup, at)),
            _ => None,
        }
    }

    fn created(setup: &Setup, at: Timestamp) -> Ledger {
        let people = People::of(&setup.participants);
        let mut ledger = Ledger {
            setup: setup.clone(),
            created_at: at,
            position: 1,
            at,
            silent_since: at,
            window: 0,
            total: Tally::default(),
            roster: Roster::from(Vec::from_iter(0..people.len())),
            owed: None,
            people,
            word: Word::default(),
            last_speaker: None,
            holds: Vec::new(),
            pending: Vec::new(),
            recent: Recent::default(),
            exhausted: None,
        };
        ledger.add_up_owed();
        let first = ledger.next_turn(None, None, ledger.moment(at));
        ledger.word.pass_to(first, at);
        ledger
    }

    /// How many entries made it: the offset of the last one.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How it is set up now, with all that was changed and topped up.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// When it was created.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// What ended it, if anything did.
    pub fn exhausted(&self) -> Option<ExhaustedBy> {
        self.exhausted
    }

    /// Whose turn it is; `None` is anybody's, or with a moderator nobody's.
    pub fn turn(&self) -> Option<&ParticipantId> {
        self.word.holder().map(|holder| &self.people.at(holder).id)
    }

    /// Notices that those whom they concern have not heard in a message yet.
    pub fn pending_notices(&self) -> &[Notice] {
        &self.pending
    }

    /// The shared budgets that it is charged to.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> + use<> {
        let owner = self.setup.owner.clone().map(AccountId::Owner);
        owner.into_iter().chain(self.setup.root.clone().map(AccountId::Tree))
    }

    fn moment(&self, now: Timestamp) -> Moment {
        let at = now.max(self.at);
        let Some(every) = self.setup.limits.refill_every_ms else {
            return Moment { at, window: self.window, refilled: false, refills_in_ms: None };
        };
        let (every, passed) = (every.max(1), elapsed(self.created_at, at));
        let window = passed / every;
        Moment { at, window, refilled: window != self.window, refills_in_ms: Some(every - passed % every) }
    }

    /// When the window ends that is counted in.
    fn window_ends(&self) -> Option<Timestamp> {
        let every = self.setup.limits.refill_every_ms?;
        Some(after_ms(self.created_at, every.saturating_mul(self.window.saturating_add(1))))
    }

    fn total_budget(&self, moment: Moment) -> Budget {
        self.total.budget(self.setup.limits.total, moment)
    }

    fn person_budget(&self, seat: usize, moment: Moment) -> Budget {
        let person = self.people.at(seat);
        person.tally.budget(self.person_caps(person), moment)
    }

    /// The budget of somebody who may not have spoken yet.
    fn share_budget(&self, seat: Option<usize>, moment: Moment) -> Budget {
        match seat {
            Some(seat) => self.person_budget(seat, moment),
            None => Tally::default().budget(self.setup.limits.per_participant, moment),
        }
    }

    fn person_caps(&self, person: &Person) -> Caps {
        self.setup.limits.per_participant.raised(person.extra)
    }

    /// The roster; where there is none, everybody who was counted.
    fn members(&self) -> Vec<usize> {
        if self.roster.is_empty() { (0..self.people.len()).collect() } else { self.roster.iter().collect() }
    }

    /// The roster, and after it everybody else who has spoken.
    fn everybody(&self) -> impl Iterator<Item = usize> {
        let others = (0..self.people.len()).filter(|seat| !self.in_roster(*seat) && self.has_spoken(*seat));
        self.roster.iter().chain(others)
    }

    fn has_spoken(&self, seat: usize) -> bool {
        self.people.at(seat).tally.ever().messages > 0
    }

    fn in_roster(&self, seat: usize) -> bool {
        self.roster.contains(seat)
    }
}

/// So many milliseconds later.
fn after_ms(at: Timestamp, ms: u64) -> Timestamp {
    at.after(Duration::from_millis(ms))
}
