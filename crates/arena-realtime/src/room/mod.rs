//! The members of one topic on this node.

mod delivery;
mod presence;

pub(crate) use delivery::join as join_frames;

use crate::codec::{Dialect, Vsn, server};
use crate::outbox::Sent;
use crate::session::Session;
use arena_bus::{Message, Rest, Sink, Stream, View};
use bytes::Bytes;
use delivery::Delivery;
use presence::Presence;
use slab::Slab;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

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

/// How a room tells of presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PresenceMode {
    /// Everybody by name.
    Full,
    /// Only how many there are.
    Occupancy,
}

/// Limits of presence in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceSettings {
    /// Changes within this time are told in one message.
    pub window: Duration,
    /// Above so many appearances only their number is told, until there are less than half as many.
    pub occupancy_above: usize,
}

impl Default for PresenceSettings {
    fn default() -> Self {
        // As many appearances as a presence message of some 20 KiB holds.
        PresenceSettings { window: Duration::from_millis(50), occupancy_above: 200 }
    }
}

/// A session in a room.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) session: Arc<Session>,
    /// Messages up to this number of the stream it has had, or was given otherwise.
    pub(crate) after: u64,
    /// What it understands of broadcasts.
    pub(crate) dialect: Dialect,
    /// Whether it hears its own messages.
    pub(crate) echo: bool,
    /// Whether it is told who is present.
    pub(crate) presence: bool,
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
/// Locks are taken in this order, and never the other way round: a stream, presence, members, an outbox.
#[derive(Debug)]
pub(crate) struct Room {
    me: Weak<Room>,
    /// As it stands on the wire.
    pub(crate) wire_topic: Arc<str>,
    pub(crate) stream: Arc<Stream>,
    overflow: Overflow,
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

#[derive(Debug)]
struct Told {
    presence: Presence,
    settings: PresenceSettings,
    mode: PresenceMode,
    last: Option<Instant>,
    /// The number that was told last.
    last_count: Option<usize>,
}

/// The room was closed meanwhile; there is another one under its name by now.
#[derive(Debug)]
pub(crate) struct Closed;

impl Room {
    pub(crate) fn new(
        wire_topic: Arc<str>,
        stream: Arc<Stream>,
        overflow: Overflow,
        settings: PresenceSettings,
    ) -> Arc<Room> {
        let told = Told {
            presence: Presence::default(),
            settings,
            mode: PresenceMode::Full,
            last: None,
            last_count: None,
        };
        let room = Arc::new_cyclic(|me| Room {
            me: me.clone(),
            wire_topic,
            stream,
            overflow,
            members: Mutex::default(),
            presence: Mutex::new(told),
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
        dialect: Dialect,
        echo: bool,
        welcome: impl FnOnce(View<'_>) -> Result<(), E>,
    ) -> Result<Result<usize, E>, Closed> {
        self.stream.view(|view| {
            let after = view.sequence();
            let mut members = self.members();
            if members.closed {
                return Err(Closed);
            }
            Ok(welcome(view).map(|()| {
                let session = Arc::clone(session);
                members.slab.insert(Member { session, after, dialect, echo, presence: false, behind: false })
            }))
        })
    }

    /// Takes a member out; what it showed disappears with it. Returns whether changes of presence wait to be told.
    pub(crate) fn dismiss(&self, member: usize, key: &Arc<str>) -> bool {
        self.members().slab.try_remove(member);
        self.untrack(key, member)
    }

    /// Whether a member was skipped and waits for the newest state.
    pub(crate) fn is_behind(&self, member: usize) -> bool {
        self.members().slab.get(member).is_some_and(|member| member.behind)
    }

    /// Closes the room if it is empty. To be called with the register of rooms locked.
    pub(crate) fn close_if_empty(&self) -> bool {
        let mut members = self.members();
        if members.slab.is_empty() {
            members.closed = true;
        }
        members.closed
    }

    /// Hears no more of the stream.
    pub(crate) fn detach(&self) {
        if let Some(me) = self.me.upgrade() {
            self.stream.detach(&(me as Arc<dyn Sink>));
        }
    }

    /// Gives a member that is behind the newest state. `catch_up` sends it, and returns whether it was taken.
    pub(crate) fn catch_up(&self, member: usize, catch_up: impl FnOnce(View<'_>) -> bool) {
        self.stream.view(|view| {
            let after = view.sequence();
            let mut members = self.members();
            if let Some(member) = members.slab.get_mut(member)
                && catch_up(view)
            {
                (member.after, member.behind) = (after, false);
            }
        });
    }

    /// How presence is told here.
    pub(crate) fn presence_mode(&self) -> PresenceMode {
        self.told().mode
    }

    /// Tells a member who is present, and from now on what changes.
    pub(crate) fn tell_presence(&self, member: usize) {
        let mut told = self.told();
        self.tell(&mut told);
        let mut members = self.members();
        let Some(member) = members.slab.get_mut(member) else { return };
        if std::mem::replace(&mut member.presence, true) {
            return;
        }
        for (event, payload) in told.state() {
            let _ = member.session.outbox.send(server::push(
                member.session.vsn,
                None,
                &self.wire_topic,
                event,
                &payload,
            ));
        }
    }

    /// A member shows itself under a key. `payload` is a JSON object. Returns whether changes wait to be told.
    pub(crate) fn track(&self, key: &Arc<str>, member: usize, payload: &str) -> bool {
        let mut told = self.told();
        told.presence.track(key, member, payload) && self.tell_in_time(&mut told)
    }

    /// A member hides. Returns whether changes wait to be told.
    pub(crate) fn untrack(&self, key: &Arc<str>, member: usize) -> bool {
        let mut told = self.told();
        told.presence.untrack(key, member) && self.tell_in_time(&mut told)
    }

    /// Tells what has waited for the end of the window.
    pub(crate) fn tell_waiting_presence(&self) {
        self.tell(&mut self.told());
    }

    /// Tells changes at once if the last ones were told long enough ago.
    fn tell_in_time(&self, told: &mut Told) -> bool {
        if told.last.is_none_or(|last| last.elapsed() >= told.settings.window) {
            self.tell(told);
            return false;
        }
        !self.presence_waits.swap(true, Ordering::AcqRel)
    }

    fn tell(&self, told: &mut Told) {
        self.presence_waits.store(false, Ordering::Release);
        let Some((event, payload)) = told.news() else { return };
        told.last = Some(Instant::now());
        let (mut v1, mut v2) = (None, None);
        for (_, member) in self.members().slab.iter().filter(|(_, member)| member.presence) {
            let vsn = member.session.vsn;
            let frame = if vsn == Vsn::V1 { &mut v1 } else { &mut v2 };
            let frame =
                frame.get_or_insert_with(|| server::push(vsn, None, &self.wire_topic, event, &payload));
            if member.session.outbox.send(frame.clone()) == Sent::Full {
                member.session.close_as_slow();
            }
        }
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

    fn told(&self) -> MutexGuard<'_, Told> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Room {
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest> {
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

impl Told {
    /// What a member that comes is told.
    fn state(&self) -> Vec<(&'static str, String)> {
        match self.mode {
            PresenceMode::Full => vec![("presence_state", self.presence.state())],
            PresenceMode::Occupancy => {
                vec![("presence_state", "{}".to_owned()), occupancy(self.presence.len())]
            }
        }
    }

    /// The event and payload that tell the members what has changed, if anything has.
    fn news(&mut self) -> Option<(&'static str, String)> {
        let (count, limit) = (self.presence.len(), self.settings.occupancy_above);
        match self.mode {
            PresenceMode::Full if count > limit => self.mode = PresenceMode::Occupancy,
            PresenceMode::Occupancy if count < limit / 2 => {
                self.mode = PresenceMode::Full;
                self.presence.forget_diff();
                return Some(("presence_state", self.presence.state()));
            }
            _ => {}
        }
        match self.mode {
            PresenceMode::Full => Some(("presence_diff", self.presence.take_diff()?)),
            PresenceMode::Occupancy => {
                self.presence.forget_diff();
                (self.last_count.replace(count) != Some(count)).then(|| occupancy(count))
            }
        }
    }
}

/// How many are present, as a broadcast of the server's own: any client can listen to it.
fn occupancy(count: usize) -> (&'static str, String) {
    let payload =
        format!("{{\"type\":\"broadcast\",\"event\":\"occupancy\",\"payload\":{{\"count\":{count}}}}}");
    ("broadcast", payload)
}
