//! Whoever waits for a change of a ticket.
//!
//! Changes that are made here wake them. For those that another process makes, the [pulse](super::pulse) looks at all
//! tickets that are waited for, once a second.

use arena_core::matching::TicketId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// No version of a ticket: none was read yet.
const NONE: i64 = i64::MIN;

/// Those who wait, by ticket. Bounded; one more is refused.
#[derive(Debug)]
pub(super) struct Polls {
    max: usize,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    sitting: usize,
    tickets: HashMap<TicketId, (usize, Arc<Place>)>,
}

/// Where those wait who wait for the same ticket.
#[derive(Debug)]
pub(super) struct Place {
    changed: Notify,
    /// The version that was read last.
    version: AtomicI64,
}

/// Somebody who waits, until this is dropped.
#[derive(Debug)]
pub(super) struct Sitting<'a> {
    polls: &'a Polls,
    ticket: TicketId,
    pub(super) place: Arc<Place>,
}

impl Polls {
    pub(super) fn new(max: usize) -> Polls {
        Polls { max, places: Mutex::default() }
    }

    /// Begins to wait; `None` if too many do.
    pub(super) fn sit(&self, ticket: TicketId) -> Option<Sitting<'_>> {
        let mut places = self.lock();
        if places.sitting >= self.max {
            return None;
        }
        places.sitting += 1;
        let (sitting, place) = places.tickets.entry(ticket).or_default();
        *sitting += 1;
        let place = Arc::clone(place);
        Some(Sitting { polls: self, ticket, place })
    }

    /// A ticket has changed.
    pub(super) fn wake(&self, ticket: TicketId) {
        if let Some((_, place)) = self.lock().tickets.get(&ticket) {
            place.changed.notify_waiters();
        }
    }

    /// A ticket was found in this version: if it was read in another one, those who wait look again.
    pub(super) fn found(&self, ticket: TicketId, version: i64) {
        if let Some((_, place)) = self.lock().tickets.get(&ticket)
            && place.version.load(Ordering::Relaxed) != version
        {
            place.changed.notify_waiters();
        }
    }

    /// All tickets that are waited for.
    pub(super) fn tickets(&self) -> Vec<TicketId> {
        self.lock().tickets.keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Place {
    fn default() -> Self {
        Place { changed: Notify::new(), version: AtomicI64::new(NONE) }
    }
}

impl Place {
    /// Waits for a change. What changes after this was called and before it is awaited is not missed, if it was
    /// [enabled](tokio::sync::futures::Notified::enable).
    pub(super) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// This version was read. Others who wait may know an earlier one: they look again.
    pub(super) fn read(&self, version: i64) {
        let before = self.version.swap(version, Ordering::Relaxed);
        if before != version && before != NONE {
            self.changed.notify_waiters();
        }
    }
}

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        let mut places = self.polls.lock();
        places.sitting -= 1;
        if let Some((sitting, _)) = places.tickets.get_mut(&self.ticket) {
            *sitting -= 1;
            if *sitting == 0 {
                places.tickets.remove(&self.ticket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_knows_an_earlier_version_is_woken_when_another_reads_a_later_one() {
        let polls = Polls::new(2);
        let ticket = TicketId(uuid::Uuid::nil());
        let (early, late) = (polls.sit(ticket).unwrap(), polls.sit(ticket).unwrap());
        early.place.read(1);
        let mut changed = std::pin::pin!(early.place.changed());
        assert!(!changed.as_mut().enable());
        late.place.read(1);
        assert!(!changed.as_mut().enable(), "it knows that one");
        late.place.read(2);
        assert!(changed.as_mut().enable());
        polls.found(ticket, 2);
    }
}
