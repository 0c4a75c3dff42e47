//! Whose turn it is, and whose it is next.

use super::super::{Amounts, TurnPolicy};
use super::{Ledger, Moment, after_ms};
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Who has the word, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Word {
    holder: Option<usize>,
    since: Timestamp,
}

impl Word {
    pub fn holder(&self) -> Option<usize> {
        self.holder
    }

    pub fn pass_to(&mut self, holder: Option<usize>, at: Timestamp) {
        let since = if holder.is_some() { at } else { Timestamp::default() };
        *self = Word { holder, since };
    }

    /// The holder is waited for from now on.
    pub fn restart(&mut self, at: Timestamp) {
        self.pass_to(self.holder, at);
    }

    pub fn is_free(&self) -> bool {
        *self == Word::default()
    }
}

/// A message that is about to be charged: turns are passed on as if it were.
#[derive(Debug, Clone, Copy)]
pub(super) struct Saying<'a> {
    pub author: usize,
    pub cost: Amounts,
    pub text: &'a str,
}

/// So many `@` of a message are looked at.
const MENTIONS: usize = 64;

impl Ledger {
    /// Whose turn follows. `from` is who had it last; `saying` begins a new round, without one those who let theirs
    /// pass in this round are left out. `None` where nobody can have it.
    pub(super) fn next_turn(
        &self,
        from: Option<usize>,
        saying: Option<Saying<'_>>,
        moment: Moment,
    ) -> Option<usize> {
        let able = |seat: usize| self.can_have_turn(seat, saying, moment);
        match self.setup.turns.policy {
            TurnPolicy::Free | TurnPolicy::Moderator => None,
            TurnPolicy::RoundRobin => self.next_in_round(from, able),
            TurnPolicy::LeastSpokenFirst => self.least_spoken(saying, able),
            TurnPolicy::MentionFirst => {
                let named = saying.and_then(|saying| self.mentioned(saying, able));
                named.or_else(|| self.next_in_round(from, able))
            }
        }
    }

    /// Whose turn follows if this one does not use theirs.
    pub(super) fn next_turn_without(&self, seat: usize, moment: Moment) -> Option<usize> {
        let able = |other: usize| other != seat && self.can_have_turn(other, None, moment);
        match self.setup.turns.policy {
            TurnPolicy::Free | TurnPolicy::Moderator => None,
            TurnPolicy::RoundRobin | TurnPolicy::MentionFirst => self.next_in_round(Some(seat), able),
            TurnPolicy::LeastSpokenFirst => self.least_spoken(None, able),
        }
    }

    /// Whether there is such a thing as a turn.
    pub(super) fn takes_turns(&self) -> bool {
        self.setup.turns.policy != TurnPolicy::Free
    }

    /// When the turn of its holder is over: not while they hold a reservation, and where nobody can speak before the
    /// budget refills, they are waited for from then on.
    pub(super) fn turn_ends(&self) -> Option<Timestamp> {
        let (holder, timeout) = (self.word.holder?, self.setup.turns.timeout_ms?);
        let refilled = self.window_ends().filter(|_| self.total.blocked);
        let since = refilled.map_or(self.word.since, |refilled| refilled.max(self.word.since));
        let silent = after_ms(since, timeout);
        let leases = self.holds.iter().filter(|hold| hold.who == holder).map(|hold| hold.until);
        Some(leases.fold(silent, Timestamp::max))
    }

    fn next_in_round(&self, from: Option<usize>, able: impl Fn(usize) -> bool) -> Option<usize> {
        self.roster.after(from).find(|seat| able(*seat))
    }

    fn least_spoken(&self, saying: Option<Saying<'_>>, able: impl Fn(usize) -> bool) -> Option<usize> {
        let last = saying.map(|saying| saying.author).or(self.last_speaker);
        let said = |seat: usize| {
            let now = u64::from(saying.is_some_and(|saying| saying.author == seat));
            self.people.at(seat).tally.ever().messages.saturating_add(now)
        };
        let able = self.roster.iter().filter(|seat| able(*seat));
        able.min_by_key(|seat| (last == Some(*seat), said(*seat)))
    }

    fn mentioned(&self, saying: Saying<'_>, able: impl Fn(usize) -> bool) -> Option<usize> {
        let mentions = saying.text.match_indices('@').take(MENTIONS);
        let named = mentions.filter_map(|(at, _)| self.named_at_start_of(&saying.text[at + 1..]));
        named.filter(|seat| *seat != saying.author).find(|seat| able(*seat))
    }

    /// Whose name the text begins with: the longest that fits, if the word ends there.
    pub(super) fn named_at_start_of(&self, text: &str) -> Option<usize> {
        let mut names = self
            .people
            .named_at_start_of(text, |rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        names.find(|seat| self.in_roster(*seat))
    }

    fn can_have_turn(&self, seat: usize, saying: Option<Saying<'_>>, moment: Moment) -> bool {
        let budget = self.person_budget(seat, moment);
        let budget = match saying {
            Some(saying) if saying.author == seat => budget.after(saying.cost, Amounts::default()),
            _ => budget,
        };
        budget.spent().is_none() && (saying.is_some() || !self.people.at(seat).skipped)
    }
}
