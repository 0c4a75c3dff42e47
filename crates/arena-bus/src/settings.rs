//! What the bus keeps, and for how long.

use arena_core::topic::{TopicKind, TopicName};
use std::time::Duration;

/// What is kept of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Messages in the history at most; the newest are kept.
    pub messages: usize,
    /// Bytes of payload in the history at most. The newest message is kept whatever its size.
    pub bytes: usize,
    /// How long the stream outlives its last watcher and its last message, whichever was later, so that one who comes
    /// back misses nothing.
    pub linger: Duration,
}

/// Limits of the bus. All of them bound memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusSettings {
    /// For topics of worlds: 256 messages are 50 s at five ticks a second, more than the grace of a seat.
    pub world: Keep,
    /// For all other topics.
    pub other: Keep,
    /// How long a topic of `last_value` outlives its last watcher.
    pub last_value_linger: Duration,
    /// Topics whose last message is kept longer: names, or beginnings that end in `*`.
    pub last_value: Vec<String>,
    /// Messages of one stream that may wait to be handed over; one more is refused.
    pub max_pending: usize,
    /// Streams at once, not counting those of worlds. For one more, those go that were idle for longest; it is refused
    /// if somebody is in all of them.
    pub max_streams: usize,
    /// What all histories but those of worlds may hold together, in bytes, with what each message costs beside its
    /// payload. When it is exceeded, the streams end first that were idle for longest.
    pub history_total_bytes: usize,
}

impl Default for BusSettings {
    fn default() -> Self {
        let linger = Duration::from_secs(60);
        BusSettings {
            world: Keep { messages: 256, bytes: 256 * 1024, linger },
            other: Keep { messages: 64, bytes: 64 * 1024, linger },
            last_value_linger: Duration::from_secs(3_600),
            last_value: vec!["state:*".to_owned()],
            max_pending: 1_024,
            max_streams: 100_000,
            history_total_bytes: 256 * 1024 * 1024,
        }
    }
}

impl BusSettings {
    /// What is kept of this topic.
    pub fn keep(&self, topic: &TopicName) -> Keep {
        let keep = match topic.kind() {
            TopicKind::World(_) => self.world,
            _ => self.other,
        };
        if self.keeps_last_value(topic) {
            let linger = keep.linger.max(self.last_value_linger);
            return Keep { linger, messages: keep.messages.max(1), ..keep };
        }
        keep
    }

    /// Whether the last message of this topic is kept longer. What holds for a public topic holds for the private one
    /// of its name.
    pub fn keeps_last_value(&self, topic: &TopicName) -> bool {
        let name = topic.public_name();
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == pattern,
        };
        self.last_value.iter().any(matches)
    }
}
