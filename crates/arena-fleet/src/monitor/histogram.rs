//! How long answers take, in buckets whose bounds never change.

use super::snapshot::{Bucket, ResponseTimes};
use std::time::Duration;

/// The upper bound of the first bucket, in microseconds.
const FIRST_MICROS: f64 = 100.0;
/// Buckets to each doubling: a percentile is off by a fifth at most.
const PER_DOUBLING: usize = 4;
/// Doublings from 0.1 ms: the last bucket but one ends at 104 s, longer than anything is waited for.
const DOUBLINGS: usize = 20;
const BUCKETS: usize = PER_DOUBLING * DOUBLINGS + 2;

/// Counts of durations.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: [u64; BUCKETS],
    sum: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: [0; BUCKETS], sum: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts one.
    pub(super) fn add(&mut self, took: Duration) {
        self.counts[bucket_of(took)] += 1;
        self.sum = self.sum.saturating_add(took);
    }

    /// What it adds up to.
    pub(super) fn report(&self) -> ResponseTimes {
        ResponseTimes {
            count: self.counts.iter().sum(),
            sum_ms: self.sum.as_secs_f64() * 1e3,
            p50_ms: self.quantile_ms(0.50),
            p95_ms: self.quantile_ms(0.95),
            p99_ms: self.quantile_ms(0.99),
            buckets: self.doublings(),
        }
    }

    /// The upper bound of the bucket that the quantile falls into; 0 where nothing was counted.
    fn quantile_ms(&self, quantile: f64) -> f64 {
        let total: u64 = self.counts.iter().sum();
        let rank = (total as f64 * quantile).ceil().max(1.0) as u64;
        let mut below = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            below += count;
            if total > 0 && below >= rank {
                return bound_ms(bucket);
            }
        }
        0.0
    }

    /// Cumulative counts at each doubling: as fine as a report needs.
    fn doublings(&self) -> Vec<Bucket> {
        let mut below = 0;
        let mut buckets = Vec::with_capacity(DOUBLINGS + 1);
        for (bucket, count) in self.counts.iter().enumerate() {
            below += count;
            if bucket % PER_DOUBLING == 0 && bucket < BUCKETS - 1 {
                buckets.push(Bucket { le_ms: bound_ms(bucket), count: below });
            }
        }
        buckets
    }
}

fn bucket_of(took: Duration) -> usize {
    let micros = took.as_secs_f64() * 1e6;
    if micros <= FIRST_MICROS {
        return 0;
    }
    let steps = (micros / FIRST_MICROS).log2() * PER_DOUBLING as f64;
    // A bound belongs to the bucket below it, whatever the logarithm makes of its last digit.
    ((steps - 1e-9).ceil() as usize).min(BUCKETS - 1)
}

fn bound_ms(bucket: usize) -> f64 {
    FIRST_MICROS / 1e3 * (bucket as f64 / PER_DOUBLING as f64).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_of_a_hundred_answers_are_off_by_a_fifth_at_most() {
        let mut histogram = Histogram::default();
        for ms in 1..=100 {
            histogram.add(Duration::from_millis(ms));
        }
        let report = histogram.report();
        for (found, exact) in [(report.p50_ms, 50.0), (report.p95_ms, 95.0), (report.p99_ms, 99.0)] {
            assert!(found >= exact && found <= exact * 1.2, "{found} for {exact}");
        }
        assert_eq!(report.count, 100);
        assert!((report.sum_ms - 5050.0).abs() < 0.001);
    }

    #[test]
    fn nothing_counted_is_zero_everywhere() {
        let report = Histogram::default().report();
        assert_eq!((report.count, report.p50_ms, report.p99_ms), (0, 0.0, 0.0));
        assert!(report.buckets.iter().all(|bucket| bucket.count == 0));
    }

    #[test]
    fn what_is_longer_than_every_bound_is_counted_though_in_no_bucket() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::from_secs(100_000));
        let report = histogram.report();
        assert_eq!((report.count, report.buckets.last().unwrap().count), (1, 0));
    }

    proptest! {
        #[test]
        fn an_answer_is_counted_at_every_bound_that_it_did_not_exceed(micros in 0u64..200_000_000) {
            let mut histogram = Histogram::default();
            histogram.add(Duration::from_micros(micros));
            for bucket in histogram.report().buckets {
                let within = micros as f64 / 1e3 <= bucket.le_ms * (1.0 + 1e-9);
                prop_assert_eq!(bucket.count == 1, within, "{} at {}", micros, bucket.le_ms);
            }
        }
    }
}
