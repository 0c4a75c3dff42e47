//! Somebody who listens to a conversation and misses nothing.

use arena_bus::{Message, Rest, Sink};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what is delivered, and what should have been and was not.
#[derive(Debug, Default)]
pub struct Listener {
    last: AtomicU64,
    messages: AtomicU64,
    gaps: AtomicU64,
}

impl Listener {
    /// One who has heard everything up to an offset.
    pub fn after(offset: u64) -> Listener {
        Listener { last: AtomicU64::new(offset), ..Listener::default() }
    }

    /// Messages heard.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Acquire)
    }

    /// Entries that were left out, came twice or came too late.
    pub fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::Acquire)
    }

    /// The offset of the last entry heard.
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }
}

impl Sink for Listener {
    /// One call at a time: plain loads and stores would do.
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest> {
        for message in messages {
            if message.transient {
                // Notices and dropped messages have no number.
                continue;
            }
            let expected = self.last.load(Ordering::Relaxed) + 1;
            self.gaps.fetch_add(message.offset.abs_diff(expected), Ordering::Relaxed);
            self.last.store(message.offset, Ordering::Release);
            if &*message.event == "message" {
                self.messages.fetch_add(1, Ordering::Release);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_bus::{Bus, Draft, Payload, Position};

    #[test]
    fn what_is_left_out_is_counted() {
        let bus = Bus::default();
        let stream = bus.open(&"conversation:1".parse().unwrap()).unwrap();
        let epoch = stream.position().epoch;
        let at = |offset| Position { offset, epoch: epoch.clone() };
        stream.anchor(&at(1));
        let listener = Arc::new(Listener::after(1));
        stream.attach(Arc::clone(&listener) as Arc<dyn Sink>);
        let draft = |event| Draft::new(event, Payload::Json("{}".into()));
        for (event, offset) in [("message", 2), ("turn", 3), ("message", 6)] {
            stream.publish_at(draft(event), at(offset));
        }
        stream.tell(draft("notice")).unwrap();
        assert_eq!(listener.messages(), 2);
        assert_eq!(listener.gaps(), 2);
        assert_eq!(listener.last(), 6);
    }
}
