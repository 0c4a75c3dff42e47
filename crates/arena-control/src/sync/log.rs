//! What the syncs of late came to.

use arena_core::Timestamp;
use arena_core::channel::ChannelName;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One sync of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRecord {
    /// When it ended.
    pub at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// Whether it did all that was due.
    pub ok: bool,
    /// What went wrong.
    pub trouble: Option<String>,
}

/// What all syncs since the start came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncTotals {
    /// Syncs that did all that was due.
    pub succeeded: u64,
    /// Syncs that did not.
    pub failed: u64,
    /// Bots put into worlds.
    pub deployed: u64,
    /// Bodies taken out of worlds.
    pub evicted: u64,
}

/// Syncs that the success rate looks back on.
const WINDOW: usize = 1_000;

/// Remembers the last sync of every channel. In memory: after a restart everything is synced anyway.
#[derive(Debug, Clone, Default)]
pub(crate) struct SyncLog {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    last: HashMap<ChannelName, SyncRecord>,
    window: VecDeque<bool>,
    totals: SyncTotals,
}

impl SyncLog {
    pub(crate) fn add(&self, channel: &ChannelName, record: SyncRecord, deployed: u64, evicted: u64) {
        let mut inner = self.lock();
        if inner.window.len() == WINDOW {
            inner.window.pop_front();
        }
        inner.window.push_back(record.ok);
        inner.totals.succeeded += u64::from(record.ok);
        inner.totals.failed += u64::from(!record.ok);
        inner.totals.deployed += deployed;
        inner.totals.evicted += evicted;
        inner.last.insert(channel.clone(), record);
    }

    /// Notes a sync that broke an invariant of ours.
    pub(crate) fn add_abnormal(&self, channel: &ChannelName) {
        let trouble = Some("the sync ended abnormally; the log says more".to_owned());
        let record = SyncRecord { at: arena_store::now(), duration: Duration::ZERO, ok: false, trouble };
        self.add(channel, record, 0, 0);
    }

    pub(crate) fn forget(&self, channel: &ChannelName) {
        self.lock().last.remove(channel);
    }

    pub(crate) fn last(&self, channel: &ChannelName) -> Option<SyncRecord> {
        self.lock().last.get(channel).cloned()
    }

    pub(crate) fn trouble(&self, channel: &ChannelName) -> Option<String> {
        self.lock().last.get(channel).and_then(|record| record.trouble.clone())
    }

    pub(crate) fn totals(&self) -> SyncTotals {
        self.lock().totals
    }

    /// Share of the last syncs that did all that was due, in percent.
    pub(crate) fn success_percent(&self) -> Option<f64> {
        let inner = self.lock();
        let good = inner.window.iter().filter(|ok| **ok).count();
        let rate = good as f64 / inner.window.len() as f64 * 100.0;
        (!inner.window.is_empty()).then_some((rate * 10.0).round() / 10.0)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
