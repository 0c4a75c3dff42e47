//! Who has knocked at the gateway, when, and what came of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What came of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Waiting,
    /// Nobody listened: the gateway was down.
    Unreachable,
    /// The handshake was answered with this HTTP status, and it is no WebSocket.
    Refused(u16),
    /// It is a WebSocket.
    Accepted,
}

/// Every connection since the beginning, in order.
#[derive(Debug, Default)]
pub struct Arrivals(Mutex<Vec<(Instant, Outcome)>>);

/// What came in a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// All that knocked.
    pub knocks: usize,
    /// Those that found nobody.
    pub unreachable: usize,
    /// Those that were refused.
    pub refused: usize,
    /// Those that were let in.
    pub accepted: usize,
    /// The most that knocked within any second.
    pub peak_knocks: usize,
    /// The most that reached the gateway within any second, whatever it answered.
    pub peak_reached: usize,
}

impl Arrivals {
    /// Somebody knocks; returns its place.
    pub fn knock(&self) -> usize {
        let mut all = self.lock();
        all.push((Instant::now(), Outcome::Waiting));
        all.len() - 1
    }

    /// What came of it.
    pub fn settle(&self, place: usize, outcome: Outcome) {
        if let Some(arrival) = self.lock().get_mut(place) {
            arrival.1 = outcome;
        }
    }

    /// Everything from `since` on.
    pub fn since(&self, since: Instant) -> Summary {
        let all: Vec<_> = self.lock().iter().copied().filter(|(at, _)| *at >= since).collect();
        summary(&all)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, Outcome)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summary(all: &[(Instant, Outcome)]) -> Summary {
    let count = |fits: fn(&Outcome) -> bool| all.iter().filter(|(_, outcome)| fits(outcome)).count();
    let times = |fits: fn(&Outcome) -> bool| {
        all.iter().filter(|(_, outcome)| fits(outcome)).map(|(at, _)| *at).collect::<Vec<_>>()
    };
    Summary {
        knocks: all.len(),
        unreachable: count(|outcome| *outcome == Outcome::Unreachable),
        refused: count(|outcome| matches!(outcome, Outcome::Refused(_))),
        accepted: count(|outcome| *outcome == Outcome::Accepted),
        peak_knocks: peak(&times(|_| true)),
        peak_reached: peak(&times(|outcome| *outcome != Outcome::Unreachable)),
    }
}

/// The most of these moments, which are in order, that lie within one second, wherever that second begins.
fn peak(times: &[Instant]) -> usize {
    let mut first = 0;
    let within = |(last, at): (usize, &Instant)| {
        while at.duration_since(times[first]) >= Duration::from_secs(1) {
            first += 1;
        }
        last + 1 - first
    };
    times.iter().enumerate().map(within).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_of_any_second_and_not_of_a_clocks() {
        let begin = Instant::now();
        let at = |ms: u64| begin + Duration::from_millis(ms);
        assert_eq!(peak(&[]), 0);
        assert_eq!(peak(&[at(0), at(900), at(1_000), at(1_100), at(1_899), at(5_000)]), 4);
    }

    #[test]
    fn what_found_nobody_has_knocked_and_not_reached() {
        let (begin, outcomes) = (
            Instant::now(),
            [Outcome::Unreachable, Outcome::Unreachable, Outcome::Refused(503), Outcome::Accepted],
        );
        let all: Vec<_> = outcomes.map(|outcome| (begin, outcome)).into();
        let expected =
            Summary { knocks: 4, unreachable: 2, refused: 1, accepted: 1, peak_knocks: 4, peak_reached: 2 };
        assert_eq!(summary(&all), expected);
    }
}
