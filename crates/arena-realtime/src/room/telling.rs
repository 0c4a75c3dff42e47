//! Telling the members of a room who is present: everybody by name, or, above a limit, how many there are.

use super::presence::Presence;
use super::{Hears, Member, MemberId, Overflow, Room, join_frames};
use crate::codec::{Vsn, server};
use crate::outbox::Sent;
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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

/// The presence of a room, and how it was told last.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) presence: Presence,
    settings: PresenceSettings,
    mode: PresenceMode,
    last: Option<Instant>,
    /// The number that was told last.
    last_count: Option<usize>,
}

impl Room {
    /// Tells a member the state of presence if it missed changes of it.
    pub(crate) fn catch_up_on_presence(&self, id: MemberId) {
        let told = self.told();
        let mut members = self.members();
        if let Some(member) = members.get_mut(id).filter(|member| member.presence == Hears::Behind) {
            self.send_presence(&told, member);
        }
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

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event and its payload.
type News = (&'static str, String);

impl Told {
    /// Nobody, of whom nothing was told.
    pub(super) fn new(settings: PresenceSettings) -> Told {
        Told {
            presence: Presence::default(),
            settings,
            mode: PresenceMode::Full,
            last: None,
            last_count: None,
        }
    }

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
