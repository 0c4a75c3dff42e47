//! What is under way for a session: bounded, and keeping nothing alive.

use super::Gateway;
use crate::session::Session;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};

/// What may be under way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Join,
    Input,
    Saying,
}

/// Something of a session that is under way until this is dropped. A session that has gone is not kept by it, nor is its
/// socket: a backstage may take its time.
#[derive(Debug)]
pub(super) struct UnderWay {
    session: Weak<Session>,
    kind: Kind,
}

impl UnderWay {
    /// One more, unless there are as many as there may be.
    pub(super) fn begin(session: &Arc<Session>, kind: Kind, limit: u32) -> Option<UnderWay> {
        let one_more = |under_way: u32| (under_way < limit).then_some(under_way + 1);
        let begun = kind.count(session).fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        begun.is_ok().then(|| UnderWay { session: Arc::downgrade(session), kind })
    }

    /// The session, without keeping it.
    pub(super) fn weak(&self) -> Weak<Session> {
        Weak::clone(&self.session)
    }

    /// The session, if it is still there.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.session.upgrade()
    }
}

impl Kind {
    fn count(self, session: &Session) -> &AtomicU32 {
        match self {
            Kind::Join => &session.joining,
            Kind::Input => &session.acting,
            Kind::Saying => &session.saying,
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(session) = self.session.upgrade() {
            self.kind.count(&session).fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Gateway {
    /// Begins something here and now, because tasks begin in any order, and goes on with it in a task of its own,
    /// which polls it again and is woken from then on.
    pub(super) fn begin(&self, mut task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            self.spawn(task);
        }
    }
}
