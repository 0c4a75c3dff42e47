//! Places where anybody may speak: there are so many, and made-up names must not take them all for good.

use super::super::{Caps, Code, ParticipantId, Refusal, Setup};
use super::{Ledger, Moment};

impl Ledger {
    /// Whether somebody who is not known yet can be counted.
    pub(super) fn has_room(&self, moment: Moment) -> Result<(), Refusal> {
        if self.forgettable(moment).is_some() {
            return Ok(());
        }
        self.has_place().map_err(|refusal| Refusal { retry_after_ms: moment.refills_in_ms, ..refusal })
    }

    /// Whether one more can be counted beside all others.
    pub(super) fn has_place(&self) -> Result<(), Refusal> {
        let max = Setup::MAX_PARTICIPANTS;
        if self.people.len() < max {
            return Ok(());
        }
        let words = format!("{max} participants have been counted here, and no more can be");
        Err(Refusal { limit: Some(max as u64), ..Refusal::plain(Code::TooManyParticipants, words) })
    }

    /// The place of somebody who speaks or reserves. Where all are taken, it is that of whoever can be forgotten.
    pub(super) fn place_of(&mut self, who: &ParticipantId) -> usize {
        if let Some(seat) = self.people.find(who) {
            return seat;
        }
        match self.forgettable(self.moment(self.at)) {
            Some(seat) => {
                self.people.replace(seat, who);
                seat
            }
            None => self.people.seat(who),
        }
    }

    /// Who makes room for somebody else, where no place is left: of those of whom nothing would be forgotten that
    /// decides anything, whoever has been silent longest. That is where there is no roster, whose order, guarantees and
    /// turns go by places and counts; those have used nothing of a share in the present window, or shares are not
    /// limited; they were given nothing beside it, hold nothing, and are not among the messages that are looked at for
    /// loops.
    fn forgettable(&self, moment: Moment) -> Option<usize> {
        if self.people.len() < Setup::MAX_PARTICIPANTS || !self.roster.is_empty() {
            return None;
        }
        let unlimited = self.setup.limits.per_participant == Caps::default();
        let mut longest: Option<(u64, usize)> = None;
        for (seat, person) in self.people.iter().enumerate() {
            let silent = (person.spoke_at, seat);
            if longest.is_none_or(|longest| silent < longest)
                && (unlimited || moment.refilled || person.tally.used == Default::default())
                && person.tally.held == Default::default()
                && person.extra == Default::default()
                && self.last_speaker != Some(seat)
                && !self.recent.holds(seat)
            {
                longest = Some(silent);
            }
        }
        longest.map(|(_, seat)| seat)
    }
}
