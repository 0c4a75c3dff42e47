//! Nudges: which channels want a sync now. They carry nothing, so losing or doubling one does no harm.

use arena_core::channel::ChannelName;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Bounded by the number of channels: a channel is in it once or not at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nudges {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    channels: Mutex<(BTreeSet<ChannelName>, bool)>,
    woken: Notify,
}

impl Nudges {
    /// Asks for a sync of these channels.
    pub(crate) fn nudge<'a>(&self, channels: impl IntoIterator<Item = &'a ChannelName>) {
        let mut waiting = self.lock();
        for channel in channels {
            if !waiting.0.contains(channel) {
                waiting.0.insert(channel.clone());
            }
        }
        drop(waiting);
        self.inner.woken.notify_one();
    }

    /// Asks for a sync of every channel.
    pub(crate) fn nudge_all(&self) {
        self.lock().1 = true;
        self.inner.woken.notify_one();
    }

    /// Waits until somebody asks.
    pub(crate) async fn woken(&self) {
        self.inner.woken.notified().await;
    }

    /// Takes what was asked for: channels, and whether all are meant.
    pub(crate) fn take(&self) -> (BTreeSet<ChannelName>, bool) {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (BTreeSet<ChannelName>, bool)> {
        self.inner.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
