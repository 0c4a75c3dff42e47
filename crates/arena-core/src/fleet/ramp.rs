//! How fast bots are started one after the other.

use std::time::Duration;

/// A start that is active within this time was a quick one.
const QUICK: Duration = Duration::from_secs(1);
/// What a quick start does to the gap: 1,000 starts take 20 s of the least gap and 20 s until it is reached.
const SPEED_UP: f64 = 0.7;
/// The least gap of an adaptive ramp.
const LEAST: Duration = Duration::from_millis(20);
/// Starts with a careful gap before them after a refusal, however quick they are.
const CAREFUL: u32 = 3;
/// For how long the ramp does not come near the gap again at which it was refused.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Gives the time between one start and the next. Knows no clock: whoever asks tells the time, from any beginning.
#[derive(Debug, Clone)]
pub struct Ramp {
    /// The range from which a careful gap is drawn.
    slow: (Duration, Duration),
    adaptive: bool,
    /// The gap at present, as it would be without chance: `None` while it is drawn from the range.
    gap: Option<Duration>,
    /// The least gap, and until when.
    floor: Option<(Duration, Duration)>,
    /// Starts that are still to be made with care.
    careful: u32,
}

impl Ramp {
    /// Begins with gaps drawn from `slow`; an adaptive one shortens them while starts succeed quickly.
    pub fn new(slow: (Duration, Duration), adaptive: bool) -> Ramp {
        let slow = (slow.0.min(slow.1), slow.0.max(slow.1));
        Ramp { slow, adaptive, gap: None, floor: None, careful: 0 }
    }

    /// The time until the next start. `unit` is a random number in 0..1 that the caller draws.
    pub fn gap(&self, unit: f64) -> Duration {
        match self.gap {
            Some(gap) => gap,
            None => self.slow.0 + (self.slow.1 - self.slow.0).mul_f64(unit.clamp(0.0, 1.0)),
        }
    }

    /// The least gap that there can be at present.
    pub fn least(&self) -> Duration {
        self.gap.unwrap_or(self.slow.0)
    }

    /// The longest gap that there ever is.
    pub fn longest(&self) -> Duration {
        self.slow.1
    }

    /// A bot is being started.
    pub fn starting(&mut self) {
        self.careful = self.careful.saturating_sub(1);
    }

    /// A bot was active so long after its start. Starts that were under way when another was refused tell nothing of
    /// what the endpoint bears since then.
    pub fn active(&mut self, took: Duration, now: Duration) {
        if !self.adaptive || took > QUICK || self.careful > 0 {
            return;
        }
        let floor = match self.floor {
            Some((floor, until)) if now < until => floor,
            _ => LEAST,
        };
        let faster = self.least().mul_f64(SPEED_UP);
        // A range below the floor stays what an operator set it to.
        self.gap = Some(faster.max(floor).min(self.slow.0));
    }

    /// A start was refused, or failed: careful gaps again, and for ten minutes none that is shorter than twice the one
    /// at which that happened.
    pub fn refused(&mut self, now: Duration) {
        self.careful = CAREFUL;
        if let Some(gap) = self.gap.take() {
            let floor = (gap * 2).min(self.slow.0);
            let kept = self.floor.filter(|(_, until)| now < *until).map_or(Duration::ZERO, |(kept, _)| kept);
            self.floor = Some((floor.max(kept), now + REMEMBERED));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOW: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(8));
    const SOON: Duration = Duration::from_millis(40);

    fn ramp() -> Ramp {
        Ramp::new(SLOW, true)
    }

    /// Starts one after the other, each of them quick; tells when the last was made.
    fn starts(ramp: &mut Ramp, count: usize, unit: f64, mut now: Duration) -> Duration {
        for _ in 0..count {
            now += ramp.gap(unit);
            ramp.starting();
            ramp.active(SOON, now);
        }
        now
    }

    #[test]
    fn a_staggered_ramp_never_changes_its_range() {
        let mut ramp = Ramp::new(SLOW, false);
        for n in 0..100 {
            assert_eq!(ramp.gap(0.0), SLOW.0);
            assert_eq!(ramp.gap(1.0), SLOW.1);
            ramp.starting();
            ramp.active(SOON, Duration::from_secs(n));
        }
        ramp.refused(Duration::from_secs(100));
        assert_eq!(ramp.gap(0.0), SLOW.0);
    }

    #[test]
    fn slow_successes_make_nothing_faster() {
        let mut ramp = ramp();
        ramp.active(Duration::from_millis(1_001), Duration::ZERO);
        assert_eq!(ramp.least(), SLOW.0);
    }

    #[test]
    fn the_gap_at_which_it_was_refused_is_not_come_near_to_for_ten_minutes() {
        let mut ramp = ramp();
        let now = starts(&mut ramp, 12, 0.5, Duration::ZERO);
        let refused_at = ramp.least();
        assert!(refused_at < Duration::from_millis(200));
        ramp.refused(now);
        assert_eq!(ramp.gap(0.0), SLOW.0);

        let soon = starts(&mut ramp, 40, 0.5, now);
        assert!(soon < now + REMEMBERED);
        assert_eq!(ramp.least(), refused_at * 2);

        starts(&mut ramp, 40, 0.5, now + REMEMBERED);
        assert_eq!(ramp.least(), LEAST);
    }

    #[test]
    fn refusals_in_a_row_remember_the_first_one() {
        let mut ramp = ramp();
        let now = starts(&mut ramp, 12, 0.5, Duration::ZERO);
        let floor = ramp.least() * 2;
        ramp.refused(now);
        ramp.refused(now + Duration::from_secs(1));
        let later = starts(&mut ramp, 40, 0.5, now + Duration::from_secs(1));
        assert_eq!(ramp.least(), floor, "at {later:?}");
    }

    proptest! {
        #[test]
        fn a_thousand_starts_without_refusal_take_less_than_a_minute(unit in 0.0..1.0f64) {
            prop_assert!(starts(&mut ramp(), 1_000, unit, Duration::ZERO) < Duration::from_secs(60));
        }

        #[test]
        fn after_a_refusal_there_is_at_most_one_start_in_five_seconds_for_the_next_three(
            before in 0usize..200, unit in 0.0..1.0f64, under_way in 0usize..50,
        ) {
            let mut ramp = ramp();
            let mut now = starts(&mut ramp, before, unit, Duration::ZERO);
            ramp.refused(now);
            for _ in 0..3 {
                for _ in 0..under_way {
                    ramp.active(SOON, now);
                }
                prop_assert!(ramp.gap(unit) >= SLOW.0);
                now += ramp.gap(unit);
                ramp.starting();
                ramp.active(SOON, now);
            }
            prop_assert!(ramp.gap(1.0) < SLOW.1);
        }

        #[test]
        fn a_gap_is_never_below_the_least_nor_above_the_range(
            steps in proptest::collection::vec((any::<bool>(), 0u64..3_000, 0.0..1.0f64), 0..200),
        ) {
            let mut ramp = ramp();
            let mut now = Duration::ZERO;
            for (refused, took_ms, unit) in steps {
                let gap = ramp.gap(unit);
                prop_assert!(gap >= LEAST && gap <= SLOW.1);
                now += gap;
                ramp.starting();
                if refused { ramp.refused(now) } else { ramp.active(Duration::from_millis(took_ms), now) }
            }
        }
    }
}
