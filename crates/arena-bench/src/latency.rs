//! Percentiles.

use std::time::Duration;

/// Durations in order.
#[derive(Debug, Clone)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Sorts what was measured.
    pub fn new(mut measured: Vec<Duration>) -> Latencies {
        measured.sort_unstable();
        Latencies(measured)
    }

    /// The `percent` percentile in milliseconds, by nearest rank; 0 if nothing was measured.
    pub fn ms(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.0.len() as f64).ceil() as usize;
        let at = rank.clamp(1, self.0.len().max(1)) - 1;
        self.0.get(at).map_or(0.0, |latency| latency.as_secs_f64() * 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let latencies = Latencies::new((1..=200).rev().map(Duration::from_millis).collect());
        for (percent, ms) in [(0.0, 1.0), (50.0, 100.0), (99.0, 198.0), (100.0, 200.0)] {
            assert_eq!(latencies.ms(percent), ms);
        }
        assert_eq!(Latencies::new(Vec::new()).ms(50.0), 0.0);
    }
}
