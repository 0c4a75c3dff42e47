//! A part of a conversation's budget that is held while a reply is being written.

use crate::brain::{Purse, Unpaid};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Reservations that are being given back at once. One more is left to lapse with its lease, and counted.
const MAX_RELEASES: usize = 256;
/// How long giving one back may take; it lapses by itself then.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);

/// Gives reservations back, for thoughts that may be dropped at any moment and cannot wait for it.
#[derive(Debug, Clone)]
pub(super) struct Releases {
    tasks: TaskTracker,
    room: Arc<Semaphore>,
    lapsed: Arc<AtomicU64>,
}

impl Releases {
    pub(super) fn new() -> Releases {
        let room = Arc::new(Semaphore::new(MAX_RELEASES));
        Releases { tasks: TaskTracker::new(), room, lapsed: Arc::default() }
    }

    /// Reserves. Dropped before the answer, whatever was reserved is the purse's to give back, or lapses by itself.
    pub(super) async fn reserve(
        &self,
        purse: &Arc<dyn Purse>,
        tokens: u64,
        cost_micros: u64,
    ) -> Result<Held, Unpaid> {
        let id = purse.reserve(tokens, cost_micros).await?;
        Ok(Held { purse: Arc::clone(purse), id, releases: self.clone(), runtime: Handle::current() })
    }

    /// Reservations that were left to lapse.
    pub(super) fn lapsed(&self) -> u64 {
        self.lapsed.load(Ordering::Relaxed)
    }

    /// Waits until everything is given back.
    pub(super) async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// A reservation. It is given back exactly once, when this is dropped, unless it was taken.
pub(super) struct Held {
    purse: Arc<dyn Purse>,
    id: Option<String>,
    releases: Releases,
    runtime: Handle,
}

impl Held {
    /// Its id, to be committed with a message: from here on it is the message's.
    pub(super) fn take(mut self) -> Option<String> {
        self.id.take()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let Ok(permit) = Arc::clone(&self.releases.room).try_acquire_owned() else {
            self.releases.lapsed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let purse = Arc::clone(&self.purse);
        let releasing = async move {
            let _permit = permit;
            let _ = tokio::time::timeout(RELEASE_TIMEOUT, purse.release(&id)).await;
        };
        self.releases.tasks.spawn_on(releasing, &self.runtime);
    }
}
