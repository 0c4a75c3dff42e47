//! Housekeeping: what has to be done by the clock.

use super::Gateway;
use super::join::snapshot_frame;
use crate::outbox::Sent;
use crate::room::{frame_for, join_frames};
use crate::session::{JoinedState, Membership, Session, close_code};
use arena_bus::Recovery;
use arena_core::topic::TopicKind;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;

/// How often waiting presence is told, the length of a window at least, and changed rosters are looked at.
const TELL_EVERY: Duration = Duration::from_millis(50);

/// Of those, one in so many looks after sessions, and one in so many after streams.
const SESSIONS_EVERY: u32 = 20;
const STREAMS_EVERY: u32 = 100;

/// How long a session that was told to close may take, in seconds; then its socket is dropped.
const CLOSING_SECS: u32 = 3;

/// When a world that could not be looked at is asked again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Gateway {
    /// Runs until it is dropped.
    pub(super) async fn keep(self) {
        let mut clock = tokio::time::interval(TELL_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for tick in 1u32.. {
            clock.tick().await;
            self.tell_waiting_presence();
            self.check_attendance();
            self.tell_company();
            if tick.is_multiple_of(SESSIONS_EVERY) {
                self.look_after_sessions();
            }
            if tick.is_multiple_of(STREAMS_EVERY) {
                self.inner.bus.sweep(Instant::now());
            }
        }
    }

    fn tell_waiting_presence(&self) {
        let waiting = &self.inner.presence_waits;
        let waiting = std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.iter().filter_map(Weak::upgrade).for_each(|room| room.tell_waiting_presence());
    }

    fn look_after_sessions(&self) {
        let sessions: Vec<Arc<Session>> = self.sessions().values().cloned().collect();
        let (now, idle) = (self.now(), self.limits().idle_timeout.as_secs());
        for session in sessions {
            match session.closing_for(now) {
                Some(secs) if secs >= CLOSING_SECS => session.outbox.break_off(),
                Some(_) => {}
                None if u64::from(session.silent_for(now)) > idle => {
                    self.count(|counters| &counters.idle_closed);
                    session.close(close_code::GOING_AWAY, "idle: nothing was heard", now);
                }
                None => self.check_tokens(&session),
            }
        }
    }

    /// Gives a session the newest state of the worlds whose messages it was too slow for.
    pub(crate) fn catch_up(&self, session: &Arc<Session>) {
        let joined = session.joined();
        let memberships = joined.iter().filter_map(|joined| match &joined.state {
            JoinedState::Member(membership) => Some((joined.topic.clone(), membership.clone())),
            JoinedState::Pending => None,
        });
        for (topic, membership) in memberships.filter(|(_, m)| m.room.is_behind(m.member)) {
            let (gateway, session) = (self.clone(), Arc::downgrade(session));
            // Two of them may be under way for one member: the second finds that it is behind no longer.
            self.spawn(async move {
                if let TopicKind::World(channel) = topic.kind()
                    && !gateway.send_newest(&session, channel, &membership).await
                {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    session.upgrade().inspect(|session| session.fall_behind());
                }
            });
        }
    }

    /// Returns whether the member has what is newest, or needs it no more.
    async fn send_newest(&self, session: &Weak<Session>, channel: &str, membership: &Membership) -> bool {
        let (room, member) = (&membership.room, membership.member);
        if room.misses_messages(member) && !self.send_snapshot(session, channel, membership).await {
            return !room.is_behind(member);
        }
        room.catch_up_on_presence(member);
        true
    }

    async fn send_snapshot(&self, session: &Weak<Session>, channel: &str, membership: &Membership) -> bool {
        let Ok(look) = self.inner.backstage.look(channel).await else { return false };
        let Some(session) = session.upgrade() else { return false };
        let (dialect, topic) = (membership.dialect, &*membership.room.wire_topic);
        let mut sent = false;
        membership.room.catch_up(membership.member, |view| {
            let Recovery::Whole(missed) = view.recover(&look.position) else { return false };
            let mut frames: Vec<_> = snapshot_frame(dialect, topic, &look).into_iter().collect();
            let user = &*membership.who.user;
            frames
                .extend(missed.iter().filter_map(|message| frame_for(user, dialect, topic, message, false)));
            sent = session.outbox.send(join_frames(frames.iter())) != Sent::Full;
            sent
        });
        if sent {
            self.count(|counters| &counters.caught_up);
        }
        sent
    }
}
