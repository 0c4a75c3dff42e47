//! What each entry does to the ledger. Nothing else changes it.

use super::super::{Blocked, Entry, Message, ParticipantId, SetupChange, TopUp, Turn};
use super::Ledger;
use super::loops::Said;
use super::roster::Roster;
use crate::Timestamp;

impl Ledger {
    /// Adds the next entry of the log. `at` is the time that it was made with: the `now` of [`Ledger::handle`].
    pub fn apply(&mut self, entry: &Entry, at: Timestamp) {
        self.apply_known(entry, at, None);
    }

    /// As [`Ledger::apply`]; the fingerprint of a message's text may be known already.
    pub(super) fn apply_known(&mut self, entry: &Entry, at: Timestamp, print: Option<u64>) {
        self.turn_to(at);
        self.position += 1;
        match entry {
            Entry::Created(_) | Entry::System(_) => {}
            Entry::Message(message) => self.add_message(message, print),
            Entry::Blocked(blocked) => self.add_block(blocked),
            Entry::Exhausted(exhausted) => self.exhausted = Some(exhausted.reason),
            Entry::Reopened => self.reopen(),
            Entry::Reserved(reserved) => self.take_hold(reserved),
            Entry::Released(released) => self.drop_hold(&released.id),
            Entry::Added(participant) => self.add_participant(participant),
            Entry::Removed(participant) => self.remove_participant(participant),
            Entry::Configured { change, .. } => self.configure(change),
            Entry::ToppedUp { by, .. } => self.top_up(by),
            Entry::Turn(turn) => self.pass_turn(turn),
        }
        self.renew_notices();
    }

    /// Goes on to the time of an entry, and to its window.
    fn turn_to(&mut self, at: Timestamp) {
        let moment = self.moment(at);
        self.at = moment.at;
        if moment.refilled {
            self.window = moment.window;
            self.total.begin_window();
            self.people.iter_mut().for_each(|person| person.tally.begin_window());
            self.review();
            self.add_up_owed();
        }
    }

    fn add_message(&mut self, message: &Message, print: Option<u64>) {
        let (author, cost) = (self.place_of(&message.author), message.cost());
        if let Some(reservation) = &message.reservation {
            self.drop_hold(reservation);
        }
        self.people.at_mut(author).spoke_at = self.position;
        self.count(author, |tally| tally.used = tally.used.plus(cost));
        self.total.used = self.total.used.plus(cost);
        self.take_notices(author, &message.notices);
        if let Some(rules) = &self.setup.loops {
            let print = print.unwrap_or_else(|| rules.fingerprint(&message.text));
            self.recent.push(Said(author, print, self.at), rules);
        }
        self.silent_since = self.at;
        self.last_speaker = Some(author);
        self.begin_round(message.turn.as_ref());
    }

    fn begin_round(&mut self, turn: Option<&ParticipantId>) {
        if !self.takes_turns() {
            return;
        }
        let holder = turn.and_then(|turn| self.people.find(turn));
        self.word.pass_to(holder, self.at);
        self.people.begin_round();
    }

    fn add_block(&mut self, blocked: &Blocked) {
        match blocked.participant.as_ref().and_then(|who| self.people.find(who)) {
            Some(seat) => self.people.at_mut(seat).tally.blocked = true,
            None => self.total.blocked = true,
        }
    }

    fn reopen(&mut self) {
        self.exhausted = None;
        self.silent_since = self.at;
        self.word.restart(self.at);
    }

    fn add_participant(&mut self, participant: &ParticipantId) {
        if self.roster.is_empty() {
            let spoken = (0..self.people.len()).filter(|seat| self.has_spoken(*seat));
            self.roster = Roster::from(Vec::from_iter(spoken));
            let names = self.roster.iter().map(|seat| self.people.at(seat).id.clone());
            self.setup.participants = names.collect();
        }
        let seat = self.people.seat(participant);
        if !self.in_roster(seat) {
            self.roster.push(seat);
            self.setup.participants.push(participant.clone());
        }
        self.add_up_owed();
    }

    fn remove_participant(&mut self, participant: &ParticipantId) {
        let Some(seat) = self.people.find(participant) else { return };
        self.roster.remove(seat);
        self.setup.participants.retain(|other| other != participant);
        self.pending.retain(|notice| notice.participant.as_ref() != Some(participant));
        self.people.unskip(seat);
        self.add_up_owed();
        if self.word.holder() == Some(seat) {
            self.word.pass_to(None, self.at);
        }
    }

    fn configure(&mut self, change: &SetupChange) {
        let policy = self.setup.turns.policy;
        self.setup = self.setup.changed(change);
        if let Some(every) = self.setup.limits.refill_every_ms {
            // What was used so far counts in the window that this moment falls into.
            self.window = super::elapsed(self.created_at, self.at) / every.max(1);
        }
        if self.setup.turns.policy != policy {
            self.word = Default::default();
            self.people.begin_round();
        }
        self.recent.trim(self.setup.loops.as_ref());
        self.review();
        self.add_up_owed();
    }

    fn top_up(&mut self, by: &TopUp) {
        let limits = &mut self.setup.limits;
        limits.total = limits.total.raised(by.total);
        limits.per_participant = limits.per_participant.raised(by.per_participant);
        limits.max_duration_ms = limits.max_duration_ms.map(|ms| ms.saturating_add(by.duration_ms));
        for (participant, amounts) in &by.participants {
            if let Some(seat) = self.people.find(participant) {
                let extra = &mut self.people.at_mut(seat).extra;
                *extra = extra.plus(*amounts);
            }
        }
        self.silent_since = self.at;
        self.review();
        self.add_up_owed();
    }

    fn pass_turn(&mut self, turn: &Turn) {
        if let Some(seat) = turn.skipped.as_ref().and_then(|who| self.people.find(who)) {
            self.people.skip(seat);
        }
        let holder = turn.participant.as_ref().and_then(|who| self.people.find(who));
        self.word.pass_to(holder, self.at);
    }
}
