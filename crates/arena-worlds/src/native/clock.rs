//! When a world ticks. One that falls behind slows down instead of piling ticks up, and says so.

use std::time::Duration;
use tokio::time::Instant;

/// Ticks that are at least this much longer than they should be are a lag.
const LAG_FACTOR: f64 = 1.25;
/// Share of the newest tick in the running mean.
const WEIGHT: f64 = 0.1;

/// The clock of one world.
#[derive(Debug)]
pub(crate) struct TickClock {
    period: Duration,
    next: Instant,
    last: Option<Instant>,
    mean_secs: f64,
}

impl TickClock {
    /// A clock whose first tick is due after `phase`.
    pub(crate) fn new(period: Duration, now: Instant, phase: Duration) -> TickClock {
        TickClock { period, next: now + phase, last: None, mean_secs: period.as_secs_f64() }
    }

    /// When the next tick is due.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// Notes that a tick began at `now`. The next one is due a period after this one was; ticks that were missed
    /// altogether are dropped.
    pub(crate) fn ticked(&mut self, now: Instant) {
        if let Some(last) = self.last.replace(now) {
            self.mean_secs += ((now - last).as_secs_f64() - self.mean_secs) * WEIGHT;
        }
        self.next += self.period;
        if self.next < now {
            self.next = now + self.period;
        }
    }

    /// Starts afresh at `now`: the world was empty and did not tick.
    pub(crate) fn resume(&mut self, now: Instant) {
        *self = TickClock::new(self.period, now, Duration::ZERO);
    }

    /// The mean length of a tick of late.
    pub(crate) fn mean(&self) -> Duration {
        Duration::from_secs_f64(self.mean_secs)
    }

    /// Whether ticks are longer than they should be.
    pub(crate) fn is_lagging(&self) -> bool {
        self.mean_secs > self.period.as_secs_f64() * LAG_FACTOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(200);

    #[test]
    fn a_little_lateness_does_not_add_up() {
        let start = Instant::now();
        let mut clock = TickClock::new(PERIOD, start, Duration::ZERO);
        for n in 0..100 {
            clock.ticked(start + PERIOD * n + Duration::from_millis(5));
        }
        assert_eq!(clock.next(), start + PERIOD * 100);
        assert!(!clock.is_lagging());
    }

    #[test]
    fn a_world_that_falls_behind_slows_down_and_says_so() {
        let start = Instant::now();
        let mut clock = TickClock::new(PERIOD, start, Duration::ZERO);
        let mut now = start;
        for _ in 0..50 {
            now += Duration::from_millis(500);
            clock.ticked(now);
            assert!(clock.next() >= now, "missed ticks must not pile up");
        }
        assert!(clock.is_lagging());
        assert!(clock.mean() > Duration::from_millis(450));
    }

    #[test]
    fn it_recovers() {
        let start = Instant::now();
        let mut clock = TickClock::new(PERIOD, start, Duration::ZERO);
        clock.ticked(start);
        clock.ticked(start + Duration::from_secs(20));
        assert!(clock.is_lagging());
        for n in 1..100 {
            clock.ticked(start + Duration::from_secs(20) + PERIOD * n);
        }
        assert!(!clock.is_lagging());
    }
}
