//! Leaving: a topic, a seat, or altogether.

use super::Gateway;
use crate::codec::{ClientMessage, Status, server};
use crate::room::join_frames;
use crate::session::{Joined, JoinedState, Seat, Session};
use std::sync::Arc;

impl Gateway {
    /// A client leaves a topic. It is told so in one piece: a client that joins anew on the answer would take a close
    /// that comes later for the end of the new join.
    pub(super) fn leave(&self, session: &Session, message: &ClientMessage<'_>) {
        let (join_ref, reference) = (message.join_ref.as_ref(), message.reference.as_ref());
        let topic = &*message.topic;
        let mut frames = vec![server::reply(session.vsn, join_ref, reference, topic, Status::Ok, "{}")];
        if let Some(left) =
            take(session, |joined| *joined.wire_topic == *topic && joined.is_meant_by(message))
        {
            frames.push(server::push(session.vsn, left.join_ref.as_ref(), topic, "phx_close", "{}"));
            self.depart(left);
        }
        self.send(session, join_frames(frames.iter()));
    }

    /// Ends a membership from our side. The client does not come back by itself.
    pub(super) fn expel(&self, session: &Session, serial: u64, status: Status, extension: &str, text: &str) {
        let Some(left) = take(session, |joined| joined.serial == serial) else { return };
        self.system(session, &left.wire_topic, extension, status, text);
        let close = server::push(session.vsn, left.join_ref.as_ref(), &left.wire_topic, "phx_close", "{}");
        self.send(session, close);
        self.depart(left);
    }

    /// Somebody else has taken the seat of this holder.
    pub(super) fn unseat(&self, holder: u64) {
        let session = self.seated().get(&holder).and_then(std::sync::Weak::upgrade);
        if let Some(session) = session
            && !note_taken(&session, holder)
        {
            self.expel_taken(&session, holder);
        }
    }

    /// Ends a membership whose seat belongs to somebody else by now.
    pub(super) fn expel_taken(&self, session: &Session, serial: u64) {
        let text = "SeatTaken: another session has taken this seat";
        // Not an error: some clients would join again, and take the seat back.
        self.expel(session, serial, Status::Ok, "seat", text);
    }

    /// A session is over.
    pub(crate) fn ended(&self, session: &Arc<Session>) {
        self.sessions().remove(&session.id);
        if session.was_slow() {
            self.count(|counters| &counters.slow_closed);
        }
        let joined = std::mem::take(&mut *session.joined());
        joined.into_iter().for_each(|joined| self.depart(joined));
    }

    /// Takes a member out of its room and its seat.
    pub(super) fn depart(&self, joined: Joined) {
        let JoinedState::Member(membership) = joined.state else { return };
        if let Some(place) = &membership.attends {
            self.go(place);
        }
        let room = &membership.room;
        if room.dismiss(membership.member, &membership.presence_key) {
            self.presence_waits(room);
        }
        self.close_room_if_empty(room);
        self.vacate(membership.seat);
    }

    /// Leaves a seat; whoever comes back in time finds it free.
    pub(super) fn vacate(&self, seat: Option<Seat>) {
        let Some(seat) = seat else { return };
        self.seated().remove(&seat.holder);
        let backstage = Arc::clone(&self.inner.backstage);
        self.spawn(async move { backstage.exit(&seat.claim, seat.holder).await });
    }
}

/// Notes on a join that is on its way that its seat is taken: it is let in first, because a client that gets no answer
/// asks again. Returns whether it is on its way.
fn note_taken(session: &Session, serial: u64) -> bool {
    let mut joined = session.joined();
    let on_its_way =
        |joined: &&mut Joined| joined.serial == serial && matches!(joined.state, JoinedState::Pending);
    joined.iter_mut().find(on_its_way).map(|joined| joined.seat_taken = true).is_some()
}

fn take(session: &Session, is_it: impl Fn(&Joined) -> bool) -> Option<Joined> {
    let mut joined = session.joined();
    let index = joined.iter().position(is_it)?;
    Some(joined.swap_remove(index))
}
