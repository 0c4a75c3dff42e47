//! The members of one topic on this node.

mod attendance;
mod delivery;
mod presence;
mod telling;
#[cfg(test)]
mod tests;

pub(crate) use attendance::Attendance;
pub(crate) use delivery::{frame_for, join as join_frames, payload_for};
pub(crate) use telling::PresenceMode;
pub use telling::PresenceSettings;

use crate::codec::Dialect;
use crate::outbox::Sent;
use crate::session::Session;
use arena_bus::{Message, Rest, Sink, Stream, View};
use bytes::Bytes;
use delivery::Delivery;
use slab::Slab;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use telling::Told;

/// Members written to in one go. A larger room is served in several, so that no thread is kept from other rooms for
/// longer than some 2 ms (a write takes about 6 µs).
const IN_ONE_GO: usize = 256;

/// What happens to a member whose outbox is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// It misses messages and gets the newest state as soon as it has room: for topics of worlds.
    NewestWins,
    /// Its session is closed as slow; it comes back and asks for what it missed.
    CloseSlow,
}

/// Names a member for as long as it is one. Its place is given to others afterwards, the serial of its join never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemberId {
    place: usize,
    serial: u64,
}

/// How a session becomes a member.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Whose session it is.
    pub(crate) user: Arc<str>,
    /// Of its join.
    pub(crate) serial: u64,
    /// What it understands of broadcasts.
    pub(crate) dialect: Dialect,
    /// Whether it hears its own messages.
    pub(crate) echo: bool,
}

/// What a member knows of presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hears {
    /// It does not want to know.
    Nothing,
    /// Every change, after the state.
    Changes,
    /// It missed changes and waits for the state.
    Behind,
}

/// A session in a room.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) session: Arc<Session>,
    /// Whose session it is, by the newest token.
    user: Arc<str>,
    /// Of its join.
    serial: u64,
    /// Messages up to this number of the stream it has had, or was given otherwise.
    pub(crate) after: u64,
    /// What it understands of broadcasts.
    pub(crate) dialect: Dialect,
    /// Whether it hears its own messages.
    pub(crate) echo: bool,
    /// Whether it is told who is present.
    presence: Hears,
    /// It missed messages and waits for the newest state.
    pub(crate) behind: bool,
}

impl Member {
    fn wants(&self, message: &Message) -> bool {
        message.sequence > self.after && (self.echo || message.from != Some(self.session.id))
    }
}

/// The members of one topic, and who of them is present.
///
/// Locks are taken in this order, and never the other way round: a session's list of topics, the register of rooms,
/// then either a stream or presence but never both, members, an outbox. The register of seats, the list of rooms
/// that wait and the company of conversations are taken last and held for a look-up only.
#[derive(Debug)]
pub(crate) struct Room {
    me: Weak<Room>,
    /// As it stands on the wire.
    pub(crate) wire_topic: Arc<str>,
    pub(crate) stream: Arc<Stream>,
    overflow: Overflow,
    /// Where it is noted that the roster has changed, in rooms of conversations.
    attendance: Option<Arc<Attendance>>,
    members: Mutex<Members>,
    presence: Mutex<Told>,
    /// There are changes of presence that wait for the end of the window.
    pub(crate) presence_waits: AtomicBool,
}

#[derive(Debug, Default)]
struct Members {
    slab: Slab<Member>,
    /// It was empty and is no longer on the register.
    closed: bool,
}

/// The room was closed meanwhile; there is another one under its name by now.
#[derive(Debug)]
pub(crate) struct Closed;

impl Room {
    pub(crate) fn new(
        wire_topic: Arc<str>,
        stream: Arc<Stream>,
        overflow: Overflow,
        attendance: Option<Arc<Attendance>>,
        settings: PresenceSettings,
    ) -> Arc<Room> {
        let room = Arc::new_cyclic(|me| Room {
            me: me.clone(),
            wire_topic,
            stream,
            overflow,
            attendance,
            members: Mutex::default(),
            presence: Mutex::new(Told::new(settings)),
            presence_waits: AtomicBool::new(false),
        });
        room.stream.attach(Arc::clone(&room) as Arc<dyn Sink>);
        room
    }

    /// Takes a member in, from the stream's present position on. What `welcome` sends goes out before anything else
    /// of this topic; if it fails, nobody is taken in.
    pub(crate) fn admit<E>(
        &self,
        session: &Arc<Session>,
        terms: Terms,
        welcome: impl FnOnce(View<'_>) -> Result<(), E>,
    ) -> Result<Result<MemberId, E>, Closed> {
        self.stream.view(|view| {
            let after = view.sequence();
            let mut members = self.members();
            if members.closed {
                return Err(Closed);
            }
            Ok(welcome(view).map(|()| {
                let session = Arc::clone(session);
                let Terms { user, serial, dialect, echo } = terms;
                let presence = Hears::Nothing;
                let member = Member { session, user, serial, after, dialect, echo, presence, behind: false };
                MemberId { place: members.slab.insert(member), serial }
            }))
        })
    }

    /// Takes a member out; what it showed disappears with it. Returns whether changes of presence wait to be told.
    pub(crate) fn dismiss(&self, id: MemberId, key: &Arc<str>) -> bool {
        let mut members = self.members();
        if members.get_mut(id).is_some() {
            members.slab.remove(id.place);
        }
        drop(members);
        // Nobody tracks for it any more: that is refused to those who are no members.
        self.untrack(key, id)
    }

    /// All members: their sessions, and the serials of their joins.
    pub(crate) fn everybody(&self) -> Vec<(Arc<Session>, u64)> {
        let members = self.members();
        members.slab.iter().map(|(_, member)| (Arc::clone(&member.session), member.serial)).collect()
    }

    /// A member is somebody else by its new token.
    pub(crate) fn rename(&self, id: MemberId, user: &Arc<str>) {
        if let Some(member) = self.members().get_mut(id) {
            member.user = Arc::clone(user);
        }
    }

    /// Whether a member was skipped and waits for the newest state, of the topic or of presence.
    pub(crate) fn is_behind(&self, id: MemberId) -> bool {
        let mut members = self.members();
        members.get_mut(id).is_some_and(|member| member.behind || member.presence == Hears::Behind)
    }

    /// Whether a member missed messages of the topic.
    pub(crate) fn misses_messages(&self, id: MemberId) -> bool {
        self.members().get_mut(id).is_some_and(|member| member.behind)
    }

    /// Closes the room if it is empty. Returns whether it is this call that did: one that was closed earlier may have
    /// a successor under its name. To be called with the register of rooms locked.
    pub(crate) fn close_if_empty(&self) -> bool {
        let mut members = self.members();
        let closes = members.slab.is_empty() && !members.closed;
        members.closed |= closes;
        closes
    }

    /// Hears no more of the stream.
    pub(crate) fn detach(&self) {
        if let Some(me) = self.me.upgrade() {
            self.stream.detach(&(me as Arc<dyn Sink>));
        }
    }

    /// Gives a member that is behind the newest state. `catch_up` sends it, and returns whether it was taken. Nothing
    /// happens to one that is no longer behind, or no longer there.
    pub(crate) fn catch_up(&self, id: MemberId, catch_up: impl FnOnce(View<'_>) -> bool) {
        self.stream.view(|view| {
            let after = view.sequence();
            let mut members = self.members();
            if let Some(member) = members.get_mut(id).filter(|member| member.behind)
                && catch_up(view)
            {
                (member.after, member.behind) = (after, false);
            }
        });
    }

    /// Sends to members from slab index `from` on. Returns where to go on if there are more than one go takes.
    fn send(&self, delivery: &Delivery<'_>, from: usize) -> Option<usize> {
        let mut members = self.members();
        let end = from.saturating_add(IN_ONE_GO).min(members.slab.capacity());
        for index in from..end {
            let Some(member) = members.slab.get_mut(index) else { continue };
            self.send_to(member, delivery);
        }
        (end < members.slab.capacity()).then_some(end)
    }

    fn send_to(&self, member: &mut Member, delivery: &Delivery<'_>) {
        if member.behind {
            return;
        }
        let frames: Bytes = delivery.frames_for(member);
        if frames.is_empty() || member.session.outbox.send(frames) != Sent::Full {
            return;
        }
        match self.overflow {
            Overflow::CloseSlow => member.session.close_as_slow(),
            Overflow::NewestWins => {
                member.behind = true;
                member.session.fall_behind();
            }
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Room {
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest> {
        if let Some(attendance) = &self.attendance {
            attendance.note_changes(self.stream.topic(), messages);
        }
        let delivery = Delivery::new(&self.wire_topic, messages);
        let mut next = self.send(&delivery, 0)?;
        let (room, messages) = (self.me.upgrade()?, messages.to_vec());
        Some(Box::pin(async move {
            loop {
                tokio::task::yield_now().await;
                // Encoded again for each go, which is a few microseconds beside hundreds of writes.
                let delivery = Delivery::new(&room.wire_topic, &messages);
                let Some(more) = room.send(&delivery, next) else { return };
                next = more;
            }
        }))
    }
}

impl Members {
    fn get_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.slab.get_mut(id.place).filter(|member| member.serial == id.serial)
    }
}
