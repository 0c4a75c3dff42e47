//! Equal failures are counted together.

use super::snapshot::{ErrorPattern, cut};
use crate::classify::counted_as;
use arena_core::fleet::{Fault, FaultClass};
use std::collections::HashMap;
use std::sync::Arc;

/// Patterns at most. One more takes the place of the one that was not seen for longest.
const PATTERNS: usize = 128;
/// Bytes of a sample.
const SAMPLE_BYTES: usize = 200;

#[derive(Debug)]
struct Seen {
    count: u64,
    first_ms: u64,
    last_ms: u64,
    sample: Box<str>,
}

/// What failed how often.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    seen: HashMap<(FaultClass, Arc<str>), Seen>,
}

impl Patterns {
    /// Counts one; gives the code as it is kept, shared by all that have it.
    pub(super) fn add(&mut self, fault: &Fault, now_ms: u64) -> Arc<str> {
        let code = counted_as(&fault.code);
        let key = (fault.class, Arc::<str>::from(code));
        // What is counted with others is named in its sample.
        let named = (code != fault.code && !fault.detail.starts_with(&fault.code))
            .then(|| format!("{}: {}", fault.code, fault.detail));
        let sample = cut(named.as_deref().unwrap_or(&fault.detail), SAMPLE_BYTES);
        if let Some((known, _)) = self.seen.get_key_value(&key) {
            let code = known.1.clone();
            if let Some(seen) = self.seen.get_mut(&key) {
                seen.count += 1;
                seen.last_ms = now_ms;
                if *seen.sample != *sample {
                    seen.sample = sample.into();
                }
            }
            return code;
        }
        self.make_room();
        let code = key.1.clone();
        let seen = Seen { count: 1, first_ms: now_ms, last_ms: now_ms, sample: sample.into() };
        self.seen.insert(key, seen);
        code
    }

    fn make_room(&mut self) {
        if self.seen.len() < PATTERNS {
            return;
        }
        let oldest = self.seen.iter().min_by_key(|(_, seen)| seen.last_ms).map(|(key, _)| key.clone());
        if let Some(key) = oldest {
            self.seen.remove(&key);
        }
    }

    /// All of them, the most frequent first.
    pub(super) fn report(&self) -> Vec<ErrorPattern> {
        let mut patterns: Vec<ErrorPattern> = self
            .seen
            .iter()
            .map(|((class, code), seen)| ErrorPattern {
                class: class.as_str().to_owned(),
                code: code.to_string(),
                count: seen.count,
                first_seen_ms: seen.first_ms,
                last_seen_ms: seen.last_ms,
                sample: seen.sample.to_string(),
            })
            .collect();
        patterns.sort_by(|a, b| {
            b.count.cmp(&a.count).then_with(|| (&a.class, &a.code).cmp(&(&b.class, &b.code)))
        });
        patterns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: &str, detail: &str) -> Fault {
        Fault::new(FaultClass::Network, code, detail)
    }

    #[test]
    fn equal_failures_are_one_pattern_with_the_first_and_the_last_time_and_the_last_text() {
        let mut patterns = Patterns::default();
        patterns.add(&fault("overloaded", "of a"), 10);
        patterns.add(&fault("overloaded", "of b"), 30);
        patterns.add(&fault("connection_lost", "by peer"), 20);
        let report = patterns.report();
        assert_eq!(report.len(), 2);
        assert_eq!(
            (report[0].code.as_str(), report[0].count, report[0].sample.as_str()),
            ("overloaded", 2, "of b")
        );
        assert_eq!((report[0].first_seen_ms, report[0].last_seen_ms), (10, 30));
    }

    #[test]
    fn an_endpoint_that_makes_up_codes_fills_no_memory() {
        let mut patterns = Patterns::default();
        for n in 0..10_000u64 {
            patterns.add(&fault(&format!("{n}-{}", "x".repeat(1_000)), &"é".repeat(1_000)), n);
        }
        let report = patterns.report();
        assert_eq!((report.len(), report[0].code.as_str(), report[0].count), (1, "other", 10_000));
        assert!(report[0].sample.starts_with("9999-xxx") && report[0].sample.len() <= SAMPLE_BYTES);
    }
}
