//! The members of one topic on this node.

mod delivery;
mod presence;
#[cfg(test)]
mod tests;

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

/// Names a member for as long as it is one. Its place is given to others afterwards, the serial of its join never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemberId {
    place: usize,
    serial: u64,
}

/// How a session becomes a member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
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
/// then either a stream or presence but never both, members, an outbox. The register of seats and the list of rooms
/// that wait are taken last and held for a look-up only.
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
                let Terms { serial, dialect, echo } = terms;
                let presence = Hears::Nothing;
                let member = Member { session, serial, after, dialect, echo, presence, behind: false };
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

    /// Whether a member was skipped and waits for the newest state, of the topic or of presence.
    pub(crate) fn is_behind(&self, id: MemberId) -> bool {
        let mut members = self.members();
        members.get_mut(id).is_some_and(|member| member.behind || member.presence == Hears::Behind)
    }

    /// Whether a member missed messages of the topic.
    pub(crate) fn misses_messages(&self, id: MemberId) -> bool {
        self.members().get_mut(id).is_some_and(|member| member.behind)
    }

    /// Tells a member the state of presence if it missed changes of it.
    pub(crate) fn catch_up_on_presence(&self, id: MemberId) {
        let told = self.told();
        let mut members = self.members();
        if let Some(member) = members.get_mut(id).filter(|member| member.presence == Hears::Behind) {
            self.send_presence(&told, member);
        }
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

    /// How presence is told here.
    pub(crate) fn presence_mode(&self) -> PresenceMode {
        self.told().mode
    }

    /// Tells a member who is present, and from now on what changes.
    pub(crate) fn tell_presence(&self, id: MemberId) {
        let told = self.told();
        let mut members = self.members();
        if let Some(member) = members.get_mut(id).filter(|member| member.presence == Hears::Nothing) {
            self.send_presence(&told, member);
        }
    }

    fn send_presence(&self, told: &Told, member: &mut Member) {
        let vsn = member.session.vsn;
        let state = told.state();
        let frames: Vec<Bytes> = state
            .iter()
            .map(|(event, payload)| server::push(vsn, None, &self.wire_topic, event, payload))
            .collect();
        member.presence = Hears::Changes;
        if member.session.outbox.send(join_frames(frames.iter())) == Sent::Full {
            self.skip_presence(member);
        }
    }

    /// A member has no room for a message about presence.
    fn skip_presence(&self, member: &mut Member) {
        match self.overflow {
            Overflow::CloseSlow => member.session.close_as_slow(),
            Overflow::NewestWins => {
                member.presence = Hears::Behind;
                member.session.fall_behind();
            }
        }
    }

    /// A member shows itself under a key. `payload` is a JSON object. Returns whether changes wait to be told. One that
    /// has just been dismissed shows nothing: nobody would ever hide it.
    pub(crate) fn track(&self, key: &Arc<str>, id: MemberId, payload: &str) -> bool {
        let mut told = self.told();
        let is_member = self.members().get_mut(id).is_some();
        is_member && told.presence.track(key, id.serial, payload) && self.tell_in_time(&mut told)
    }

    /// A member hides. Returns whether changes wait to be told.
    pub(crate) fn untrack(&self, key: &Arc<str>, id: MemberId) -> bool {
        let mut told = self.told();
        told.presence.untrack(key, id.serial) && self.tell_in_time(&mut told)
    }

    /// Tells what has waited for the end of the window.
    pub(crate) fn tell_waiting_presence(&self) {
        self.presence_waits.store(false, Ordering::Release);
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
        let news = told.news();
        if news.is_empty() {
            return;
        }
        told.last = Some(Instant::now());
        let frames = |vsn| {
            let frame = |(event, payload): &News| server::push(vsn, None, &self.wire_topic, event, payload);
            join_frames(news.iter().map(frame).collect::<Vec<_>>().iter())
        };
        let (mut v1, mut v2) = (None, None);
        let mut members = self.members();
        for (_, member) in members.slab.iter_mut().filter(|(_, member)| member.presence == Hears::Changes) {
            let vsn = member.session.vsn;
            let known = if vsn == Vsn::V1 { &mut v1 } else { &mut v2 };
            if member.session.outbox.send(known.get_or_insert_with(|| frames(vsn)).clone()) == Sent::Full {
                self.skip_presence(member);
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

impl Members {
    fn get_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.slab.get_mut(id.place).filter(|member| member.serial == id.serial)
    }
}

/// An event and its payload.
type News = (&'static str, String);

impl Told {
    /// What a member that comes is told: what the others have been told so far.
    fn state(&self) -> Vec<News> {
        match self.mode {
            PresenceMode::Full => vec![("presence_state", self.presence.state_as_told())],
            PresenceMode::Occupancy => only_how_many(self.presence.len()),
        }
    }

    /// What tells the members of everything that has changed, if anything has.
    fn news(&mut self) -> Vec<News> {
        let (count, limit) = (self.presence.len(), self.settings.occupancy_above);
        match self.mode {
            PresenceMode::Full if count > limit => {
                self.mode = PresenceMode::Occupancy;
                self.presence.forget_diff();
                self.last_count = Some(count);
                only_how_many(count)
            }
            PresenceMode::Full => {
                self.presence.take_diff().map(|diff| ("presence_diff", diff)).into_iter().collect()
            }
            PresenceMode::Occupancy if count < limit / 2 => {
                self.mode = PresenceMode::Full;
                self.presence.forget_diff();
                vec![("presence_state", self.presence.state_as_told())]
            }
            PresenceMode::Occupancy => {
                self.presence.forget_diff();
                let changed = self.last_count.replace(count) != Some(count);
                changed.then(|| occupancy(count)).into_iter().collect()
            }
        }
    }
}

/// Nobody by name, so that no client goes on showing those of whom it will not hear again, and how many there are.
fn only_how_many(count: usize) -> Vec<News> {
    vec![("presence_state", "{}".to_owned()), occupancy(count)]
}

/// How many are present, as a broadcast of the server's own: any client can listen to it.
fn occupancy(count: usize) -> News {
    let payload =
        format!("{{\"type\":\"broadcast\",\"event\":\"occupancy\",\"payload\":{{\"count\":{count}}}}}");
    ("broadcast", payload)
}
