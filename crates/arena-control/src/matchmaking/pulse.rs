//! What is heard of users all the time, gathered in memory and written now and then.

use super::service::Inner;
use arena_core::Timestamp;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::TicketId;
use arena_store::{StoreError, now};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Heartbeats that may wait to be written. One more is left out: its user sends another one.
const MAX_BEATS: usize = 262_144;

/// Comings and goings that may wait to be written. One more is left out: missing heartbeats tell the same.
const MAX_COMINGS: usize = 65_536;

/// How often heartbeats are written, and tickets that are waited for looked at.
const BEAT: Duration = Duration::from_secs(1);

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
        if comings.len() >= MAX_COMINGS && !comings.contains_key(&place) {
            return;
        }
        let coming = comings.entry(place).or_default();
        *coming = match away {
            None => Coming { back: true, away: None },
            Some(_) => Coming { away: coming.away.or(away), ..*coming },
        };
    }
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
            _ = step.tick() => inner.write_comings().await,
        }
    }
    inner.write_comings().await;
    inner.write_beats().await;
}

impl Inner {
    /// Writes the heartbeats that were gathered. Those that cannot be written come after the outage.
    pub(super) async fn write_beats(&self) {
        let beats: Vec<TicketId> = std::mem::take(&mut *lock(&self.pulse.beats)).into_iter().collect();
        for (done, part) in beats.chunks(AT_ONCE).enumerate() {
            if let Err(error) = self.store.tickets_seen(part, now()).await {
                self.unheard("heartbeats cannot be written", &error);
                beats[done * AT_ONCE..].iter().for_each(|ticket| self.pulse.beat(*ticket));
                return;
            }
        }
    }

    async fn write_comings(&self) {
        let comings = std::mem::take(&mut *lock(&self.pulse.comings));
        let mut comings = comings.into_iter();
        while let Some((place, coming)) = comings.next() {
            if let Err(error) = self.write_coming(&place, coming).await {
                self.unheard("who is away cannot be written", &error);
                let mut waiting = lock(&self.pulse.comings);
                for (place, coming) in std::iter::once((place, coming)).chain(comings) {
                    let later = waiting.entry(place).or_default();
                    if !later.back {
                        *later = Coming { away: coming.away.or(later.away), ..coming };
                    }
                }
                return;
            }
        }
    }

    async fn write_coming(&self, (conversation, user): &Place, coming: Coming) -> Result<(), StoreError> {
        if coming.back {
            self.store.attend_match(conversation, user, None).await?;
        }
        if coming.away.is_some() {
            self.store.attend_match(conversation, user, coming.away).await?;
        }
        Ok(())
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
