//! The end: sessions are sent away one after the other, so that they do not come back all at once.

use super::Gateway;
use crate::session::{Session, close_code};
use std::sync::Arc;
use std::time::Duration;

/// How a gateway ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// Over how long the sessions are sent away.
    pub spread: Duration,
    /// After how long whoever is still there is cut off.
    pub deadline: Duration,
}

/// How long seats may take to be left once every session has ended. Whoever sits there then is found to be gone at the
/// next start.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Sessions are sent away in steps of this length.
const STEP: Duration = Duration::from_millis(20);

impl Gateway {
    /// Takes no more connections, sends the sessions away with *service restart*, waits for their tasks. Returns
    /// whether all ended in time. Takes little more than the deadline, even if a backstage does not answer any more.
    pub async fn drain(&self, drain: Drain) -> bool {
        self.inner.stop.cancel();
        let spread = drain.spread.min(drain.deadline);
        let in_time = tokio::time::timeout(drain.deadline, self.send_all_away(spread)).await.is_ok();
        let left: Vec<Arc<Session>> = self.sessions().values().cloned().collect();
        left.iter().for_each(|session| session.outbox.break_off());
        self.inner.tasks.close();
        let ended = tokio::time::timeout(LAST_WAIT, self.inner.tasks.wait()).await.is_ok();
        if !ended {
            tracing::warn!(
                tasks = self.inner.tasks.len(),
                "realtime: something did not end with its session"
            );
        }
        self.inner.idle.cancel();
        self.inner.keeping.close();
        self.inner.keeping.wait().await;
        in_time
    }

    /// Tells one session to come back in a moment.
    pub(super) fn send_away(&self, session: &Session) {
        session.close(close_code::SERVICE_RESTART, "service restart", self.now());
    }

    async fn send_all_away(&self, spread: Duration) {
        // The newest last: whoever came first is served first again.
        let mut sessions: Vec<Arc<Session>> = self.sessions().values().cloned().collect();
        sessions.sort_by_key(|session| session.id);
        let steps = (spread.as_millis() / STEP.as_millis()).max(1);
        let in_step = sessions.len().div_ceil(usize::try_from(steps).unwrap_or(usize::MAX)).max(1);
        for step in sessions.chunks(in_step) {
            for session in step {
                self.send_away(session);
            }
            tokio::time::sleep(STEP).await;
        }
        drop(sessions);
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}
