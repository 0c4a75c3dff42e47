//! All streams of this process.

use crate::settings::BusSettings;
use crate::stream::Stream;
use crate::streams::Streams;
use arena_core::topic::TopicName;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use tokio_util::task::TaskTracker;

/// Why a stream was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There are as many topics as there may be, and somebody is in each.
    #[error("there are {limit} topics already")]
    TooManyTopics {
        /// The limit.
        limit: usize,
    },
}

/// Topics within one process. Clones share them.
#[derive(Debug, Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: BusSettings,
    streams: RwLock<Streams>,
    tasks: TaskTracker,
}

impl Bus {
    /// A bus without streams.
    pub fn new(settings: BusSettings) -> Bus {
        let streams = RwLock::new(Streams::new(settings.max_streams, settings.history_total_bytes));
        Bus { inner: Arc::new(Inner { settings, streams, tasks: TaskTracker::new() }) }
    }

    /// The stream of a topic; it begins where it is missing. Where there are too many, those that were idle for
    /// longest make room for it.
    pub fn open(&self, topic: &TopicName) -> Result<Arc<Stream>, OpenError> {
        if let Some(stream) = self.get(topic) {
            return Ok(stream);
        }
        let Inner { settings, tasks, .. } = &*self.inner;
        let mut streams = self.inner.streams.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = streams.get(topic) {
            return Ok(Arc::clone(stream));
        }
        let keep = settings.keep(topic);
        let stream = Arc::new(Stream::new(topic.clone(), keep, settings.max_pending, tasks.clone()));
        if !streams.insert(&stream, keep.bytes) {
            return Err(OpenError::TooManyTopics { limit: settings.max_streams });
        }
        Ok(stream)
    }

    /// The stream of a topic that somebody has opened. Where there is none, nobody listens.
    pub fn get(&self, topic: &TopicName) -> Option<Arc<Stream>> {
        self.inner.streams.read().unwrap_or_else(PoisonError::into_inner).get(topic).cloned()
    }

    /// Whether this topic's last message outlives its watchers: worth publishing to even if nobody listens.
    pub fn keeps_last_value(&self, topic: &TopicName) -> bool {
        self.inner.settings.keeps_last_value(topic)
    }

    /// How many streams there are.
    pub fn len(&self) -> usize {
        self.inner.streams.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends streams that nobody has listened or published to for longer than they linger, those that have nothing to
    /// linger for, and the most idle ones while all together keep too much. To be called every few seconds.
    pub fn sweep(&self, now: Instant) {
        self.inner.streams.write().unwrap_or_else(PoisonError::into_inner).sweep(now);
    }
}

impl Default for Bus {
    fn default() -> Self {
        Bus::new(BusSettings::default())
    }
}
