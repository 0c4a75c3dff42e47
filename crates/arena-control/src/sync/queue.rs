//! Channels that wait for their sync, each once. Those that failed of late wait behind the others.

use arena_core::channel::ChannelName;
use std::collections::{HashSet, VecDeque};

/// Bounded by the number of channels.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    sound: VecDeque<ChannelName>,
    failing: VecDeque<ChannelName>,
    waiting: HashSet<ChannelName>,
}

impl Queue {
    /// Adds a channel, unless it waits already.
    pub(crate) fn push(&mut self, channel: ChannelName, failing: bool) {
        if self.waiting.insert(channel.clone()) {
            if failing { self.failing.push_back(channel) } else { self.sound.push_back(channel) }
        }
    }

    /// Takes the next channel; one that failed of late only if `failing` allows it and no other waits.
    pub(crate) fn pop(&mut self, failing: bool) -> Option<ChannelName> {
        let next = self.sound.pop_front();
        let channel = next.or_else(|| failing.then(|| self.failing.pop_front()).flatten())?;
        self.waiting.remove(&channel);
        Some(channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_waits_once_and_those_that_fail_wait_behind() {
        let name = |text: &str| text.parse::<ChannelName>().unwrap();
        let mut queue = Queue::default();
        queue.push(name("bad"), true);
        queue.push(name("a"), false);
        queue.push(name("a"), true);
        assert_eq!(queue.pop(true), Some(name("a")));
        assert_eq!(queue.pop(false), None);
        assert_eq!(queue.pop(true), Some(name("bad")));
        assert_eq!(queue.pop(true), None);
        queue.push(name("a"), false);
        assert_eq!(queue.pop(false), Some(name("a")));
    }
}
