//! What is heard of users all the time, gathered in memory and written now and then.

use super::service::Inner;
use arena_core::Timestamp;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::TicketId;
use arena_store::{Attendance, StoreError, now};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Heartbeats that may wait to be written. One more is left out: its user sends another one.
const MAX_BEATS: usize = 262_144;

/// Comings and goings that may wait to be written when somebody goes. One more is left out: missing heartbeats tell the
/// same.
const MAX_GOINGS: usize = 65_536;

/// The same when somebody comes. A return that is left out would cost somebody a match who is there, so there is room for
/// as many as may beat.
const MAX_COMINGS: usize = MAX_BEATS;

/// How often heartbeats are written, and tickets that are waited for looked at.
pub(super) const BEAT: Duration = Duration::from_secs(1);

/// How often comings and goings are written.
const STEP: Duration = Duration::from_millis(100);

/// Tickets in one statement.
const AT_ONCE: usize = 500;

/// A user and a conversation.
type Place = (ConversationId, ParticipantId);

/// What became of a user's connections to a conversation since that was written last.
#[derive(Debug, Clone, Copy, Default)]
struct Coming {
    /// It was there at some time: an earlier absence is over.
    back: bool,
    /// It is gone since then.
    away: Option<Timestamp>,
}

/// What was heard and is not written yet.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    beats: Mutex<BTreeSet<TicketId>>,
    comings: Mutex<HashMap<Place, Coming>>,
    /// Held while what was heard is written: whoever has it written, and finds nothing to write, knows that it is written.
    writing: tokio::sync::Mutex<()>,
}

impl Pulse {
    /// Something was heard of a ticket's user.
    pub(super) fn beat(&self, ticket: TicketId) {
        let mut beats = lock(&self.beats);
        if beats.len() < MAX_BEATS {
            beats.insert(ticket);
        }
    }

    /// A user has come to a conversation (`None`), or was last there at this time.
    pub(super) fn comes(&self, conversation: &ConversationId, user: &ParticipantId, away: Option<Timestamp>) {
        let mut comings = lock(&self.comings);
        let place = (conversation.clone(), user.clone());
        let room = if away.is_some() { MAX_GOINGS } else { MAX_COMINGS };
        if comings.len() >= room && !comings.contains_key(&place) {
            return;
        }
        let coming = comings.entry(place).or_default();
        *coming = match away {
            None => Coming { back: true, away: None },
            Some(_) => Coming { away: coming.away.or(away), ..*coming },
        };
    }

    /// These are still to be written. What came to be known meanwhile is newer.
    fn keep(&self, comings: HashMap<Place, Coming>) {
        let mut waiting = lock(&self.comings);
        for (place, coming) in comings {
            let later = waiting.entry(place).or_default();
            if !later.back {
                *later = Coming { away: coming.away.or(later.away), ..coming };
            }
        }
    }
}

/// What there is to write of comings: first who is back, then who is gone. One who was there and is gone since is both.
fn attendances(comings: &HashMap<Place, Coming>) -> [Vec<Attendance>; 2] {
    let at = |(conversation, user): &Place, away_since| Attendance {
        conversation: conversation.clone(),
        user: user.clone(),
        away_since,
    };
    let back = comings.iter().filter(|(_, coming)| coming.back).map(|(place, _)| at(place, None));
    let gone = comings.iter().filter(|(_, coming)| coming.away.is_some());
    [back.collect(), gone.map(|(place, coming)| at(place, coming.away)).collect()]
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes what was heard, until it is told to stop, and once more then.
pub(super) async fn run(inner: Arc<Inner>, stop: CancellationToken) {
    let mut step = interval(STEP);
    step.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            _ = beat.tick() => {
                inner.look_for_polls().await;
                inner.write_beats().await;
            }
            _ = step.tick() => {
                inner.write_comings().await;
            }
        }
    }
    inner.write_comings().await;
    inner.write_beats().await;
}

impl Inner {
    /// Writes the heartbeats that were gathered. Those that cannot be written come after the outage. Returns whether all
    /// that were heard before are written.
    pub(super) async fn write_beats(&self) -> bool {
        let _writing = self.pulse.writing.lock().await;
        let beats: Vec<TicketId> = std::mem::take(&mut *lock(&self.pulse.beats)).into_iter().collect();
        for (done, part) in beats.chunks(AT_ONCE).enumerate() {
            if let Err(error) = self.store.tickets_seen(part, now()).await {
                self.unheard("heartbeats cannot be written", &error);
                beats[done * AT_ONCE..].iter().for_each(|ticket| self.pulse.beat(*ticket));
                return false;
            }
        }
        true
    }

    /// Writes who has come and gone, returns before goings. Those that cannot be written come after the outage. Returns
    /// whether all that were known before are written.
    pub(super) async fn write_comings(&self) -> bool {
        let _writing = self.pulse.writing.lock().await;
        let comings = std::mem::take(&mut *lock(&self.pulse.comings));
        for part in attendances(&comings).iter().flat_map(|all| all.chunks(AT_ONCE)) {
            if let Err(error) = self.store.attend_matches(part).await {
                self.unheard("who is away cannot be written", &error);
                // Written twice is written once.
                self.pulse.keep(comings);
                return false;
            }
        }
        true
    }

    /// Wakes whoever waits for a ticket that another process has changed. Waiting is a heartbeat.
    async fn look_for_polls(&self) {
        for part in self.polls.tickets().chunks(AT_ONCE) {
            match self.store.tickets_by_id(part).await {
                Ok(rows) => rows.iter().for_each(|row| self.polls.found(row.id, row.version)),
                Err(error) => return self.unheard("tickets that are waited for cannot be read", &error),
            }
            part.iter().for_each(|ticket| self.pulse.beat(*ticket));
        }
    }

    /// Something failed that has to do with what is heard of users. Nobody is called silent on its account.
    pub(super) fn unheard(&self, what: &'static str, error: &StoreError) {
        if matches!(error, StoreError::Unavailable(_)) {
            self.hearing.lost();
        }
        tracing::warn!(%error, "{what}; tried again soon");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk() -> ConversationId {
        "match-1".parse().unwrap()
    }

    fn user(number: usize) -> ParticipantId {
        format!("u{number}").parse().unwrap()
    }

    #[test]
    fn returns_are_noted_when_there_is_no_room_for_goings_any_more_and_are_written_first() {
        let pulse = Pulse::default();
        for number in 0..=MAX_GOINGS {
            pulse.comes(&talk(), &user(number), Some(Timestamp(7)));
        }
        pulse.comes(&talk(), &user(MAX_GOINGS + 1), None);
        pulse.comes(&talk(), &user(3), None);
        let comings = std::mem::take(&mut *lock(&pulse.comings));
        let [back, gone] = attendances(&comings);
        let back: BTreeSet<_> = back.into_iter().map(|one| one.user).collect();
        assert_eq!(back, BTreeSet::from([user(3), user(MAX_GOINGS + 1)]));
        assert_eq!(gone.len(), MAX_GOINGS - 1);
    }

    #[test]
    fn what_could_not_be_written_gives_way_to_what_is_newer() {
        let pulse = Pulse::default();
        pulse.comes(&talk(), &user(1), Some(Timestamp(7)));
        pulse.comes(&talk(), &user(2), Some(Timestamp(7)));
        let unwritten = std::mem::take(&mut *lock(&pulse.comings));
        pulse.comes(&talk(), &user(1), None);
        pulse.comes(&talk(), &user(2), Some(Timestamp(9)));
        pulse.keep(unwritten);
        let comings = lock(&pulse.comings);
        let known = |number| comings[&(talk(), user(number))];
        assert!(known(1).back && known(1).away.is_none());
        assert_eq!(known(2).away, Some(Timestamp(7)), "it is away since then");
    }
}
