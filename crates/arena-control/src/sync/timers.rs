//! When to sync channels again: one timer each, and one for listing them all.

use arena_core::Timestamp;
use arena_core::channel::ChannelName;
use std::collections::{BTreeSet, HashMap};

/// A channel, or all.
type Whom = Option<ChannelName>;

/// Bounded by the number of channels.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Timestamp, Whom)>,
    of: HashMap<Whom, Timestamp>,
}

impl Timers {
    /// Sets the timer of a channel, or of all; it takes the place of the one before.
    pub(crate) fn set(&mut self, at: Timestamp, whom: Whom) {
        if let Some(before) = self.of.insert(whom.clone(), at) {
            self.by_time.remove(&(before, whom.clone()));
        }
        self.by_time.insert((at, whom));
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes those that are due.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Whom> {
        let mut due = Vec::new();
        while self.next().is_some_and(|at| at <= now)
            && let Some((_, whom)) = self.by_time.pop_first()
        {
            self.of.remove(&whom);
            due.push(whom);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_moved_and_fires_once() {
        let whom = |text: &str| Some(text.parse::<ChannelName>().unwrap());
        let mut timers = Timers::default();
        timers.set(Timestamp(10), whom("a"));
        timers.set(Timestamp(20), whom("b"));
        timers.set(Timestamp(30), whom("a"));
        assert_eq!(timers.next(), Some(Timestamp(20)));
        assert_eq!(timers.take_due(Timestamp(25)), [whom("b")]);
        timers.set(Timestamp(5), whom("a"));
        assert_eq!(timers.take_due(Timestamp(40)), [whom("a")]);
        assert_eq!(timers.next(), None);
    }
}
