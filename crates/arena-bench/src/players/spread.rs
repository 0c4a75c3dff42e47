//! How far apart the members of a world hear the same message.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Messages remembered; who hears an older one is counted from the oldest that is remembered.
const REMEMBERED: usize = 64;

/// The messages of one world that somebody has heard.
#[derive(Debug, Default)]
pub struct Spread {
    /// Offset and first arrival, oldest first.
    first: VecDeque<(u64, Instant)>,
}

impl Spread {
    /// Time since the first member heard this message; `None` for the first one.
    pub fn after_the_first(&mut self, offset: u64, now: Instant) -> Option<Duration> {
        if let Some((_, first)) = self.first.iter().rev().find(|(known, _)| *known == offset) {
            return Some(now.saturating_duration_since(*first));
        }
        match self.first.front() {
            Some((oldest, first)) if offset < *oldest => Some(now.saturating_duration_since(*first)),
            _ => {
                if self.first.len() == REMEMBERED {
                    self.first.pop_front();
                }
                self.first.push_back((offset, now));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_but_the_first_is_behind_it() {
        let mut spread = Spread::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(spread.after_the_first(7, at(0)), None);
        assert_eq!(spread.after_the_first(8, at(2)), None);
        assert_eq!(spread.after_the_first(7, at(3)), Some(Duration::from_millis(3)));
        assert_eq!(spread.after_the_first(8, at(3)), Some(Duration::from_millis(1)));
    }

    #[test]
    fn a_message_that_is_forgotten_counts_from_the_oldest_one_known() {
        let mut spread = Spread::default();
        let start = Instant::now();
        for offset in 0..REMEMBERED as u64 + 10 {
            spread.after_the_first(offset, start + Duration::from_millis(offset));
        }
        let late = spread.after_the_first(3, start + Duration::from_millis(500));
        assert_eq!(late, Some(Duration::from_millis(490)));
    }
}
