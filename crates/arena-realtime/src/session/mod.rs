//! One connection: who it is, where it is a member, and its task.

mod joined;
mod task;

pub(crate) use joined::{Joined, JoinedState, Membership, Seat};
pub(crate) use task::run;

use crate::codec::Vsn;
use crate::frame;
use crate::limits::SessionBuckets;
use crate::outbox::Outbox;
use crate::policy::Identity;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Close codes of RFC 6455, section 7.4, and of its registry.
pub(crate) mod close_code {
    pub(crate) const NORMAL: u16 = 1000;
    pub(crate) const GOING_AWAY: u16 = 1001;
    pub(crate) const POLICY: u16 = 1008;
    pub(crate) const SERVICE_RESTART: u16 = 1012;
    pub(crate) const TRY_AGAIN_LATER: u16 = 1013;
}

/// Seconds since the gateway started, counted in few bits: sessions are many.
pub(crate) type Seconds = u32;

/// Stands for a time that is not known yet.
const SINCE_NOW: Seconds = Seconds::MAX;

/// One realtime connection.
#[derive(Debug)]
pub(crate) struct Session {
    /// Unique among all sessions of this gateway's life and of those before it; rises.
    pub(crate) id: u64,
    pub(crate) vsn: Vsn,
    pub(crate) outbox: Outbox,
    /// Who connected, by the token of the handshake.
    pub(crate) who: Arc<Identity>,
    joined: Mutex<Vec<Joined>>,
    /// When something was last heard of it.
    heard: AtomicU32,
    /// When it was told to close; 0 while it is not, and [`SINCE_NOW`] until somebody with a clock asks.
    closing: AtomicU32,
    /// It was told to close because it reads too slowly.
    slow: AtomicBool,
    /// A room skipped messages for it.
    behind: AtomicBool,
    /// Joins that ask a backstage. Bounded by the limits; one more is refused.
    pub(crate) joining: AtomicU32,
    /// Inputs on their way; bounded, and one more is refused.
    pub(crate) acting: AtomicU32,
    /// Sayings in conversations on their way; bounded, and one more is refused.
    pub(crate) saying: AtomicU32,
    pub(crate) buckets: SessionBuckets,
    /// When the token of the handshake ends, in seconds since 1970; `None` without one.
    pub(crate) token_ends: Option<i64>,
    /// Second in which it was last told of a limit, so that a flood is not answered by one.
    told_of_limit: AtomicU32,
}

impl Session {
    pub(crate) fn new(
        id: u64,
        vsn: Vsn,
        outbox: Outbox,
        who: Arc<Identity>,
        token_ends: Option<i64>,
        now: Seconds,
    ) -> Session {
        Session {
            id,
            vsn,
            outbox,
            who,
            joined: Mutex::default(),
            heard: AtomicU32::new(now),
            closing: AtomicU32::new(0),
            slow: AtomicBool::new(false),
            behind: AtomicBool::new(false),
            joining: AtomicU32::new(0),
            acting: AtomicU32::new(0),
            saying: AtomicU32::new(0),
            buckets: SessionBuckets::default(),
            token_ends,
            told_of_limit: AtomicU32::new(0),
        }
    }

    /// Where it is a member.
    pub(crate) fn joined(&self) -> MutexGuard<'_, Vec<Joined>> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that something was heard.
    pub(crate) fn hear(&self, now: Seconds) {
        self.heard.store(now, Ordering::Relaxed);
    }

    /// How long nothing was heard, in seconds.
    pub(crate) fn silent_for(&self, now: Seconds) -> Seconds {
        now.saturating_sub(self.heard.load(Ordering::Relaxed))
    }

    /// Tells the client to go. Nothing else is sent to it any more.
    pub(crate) fn close(&self, code: u16, reason: &str, now: Seconds) {
        let _ = self.closing.compare_exchange(0, now.max(1), Ordering::AcqRel, Ordering::Relaxed);
        self.outbox.seal(frame::close(code, reason));
    }

    /// Closes it because it does not read as fast as it is written to. It may come back and ask for what it missed.
    pub(crate) fn close_as_slow(&self) {
        self.slow.store(true, Ordering::Relaxed);
        self.close(close_code::TRY_AGAIN_LATER, "SlowConsumer: come back and recover", SINCE_NOW);
    }

    /// Whether it was closed because it reads too slowly.
    pub(crate) fn was_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    /// How long ago it was told to close, in seconds.
    pub(crate) fn closing_for(&self, now: Seconds) -> Option<Seconds> {
        let _ = self.closing.compare_exchange(SINCE_NOW, now.max(1), Ordering::AcqRel, Ordering::Relaxed);
        let since = self.closing.load(Ordering::Acquire);
        (since != 0).then(|| now.saturating_sub(since))
    }

    /// Notes that a room skips messages for it until its outbox is empty.
    pub(crate) fn fall_behind(&self) {
        self.behind.store(true, Ordering::Release);
        self.outbox.wake();
    }

    /// Whether some room skipped messages for it; asked once its outbox is empty.
    pub(crate) fn take_behind(&self) -> bool {
        self.behind.swap(false, Ordering::AcqRel)
    }

    /// Whether it may be told of a limit again: once a second.
    pub(crate) fn may_tell_of_limit(&self, now: Seconds) -> bool {
        self.told_of_limit.swap(now.max(1), Ordering::Relaxed) != now.max(1)
    }
}
