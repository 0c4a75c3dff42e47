//! What came of it.

use serde::Serialize;

/// What came of the same arrivals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Under the rules.
    pub rules: Tally,
    /// First come, first served: whoever waits longest is put together, whatever was wished for, and who met lately again.
    /// Whoever is left over gets a bot after as long as the rules say.
    pub first_come: Tally,
}

/// What was counted. Waits are those of humans who were matched, and begin anew after each talk.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Humans who came.
    pub arrivals: u64,
    /// How often a human began to wait: when they came, and after skipped talks.
    pub waits: u64,
    /// Matches made.
    pub matches: u64,
    /// Waits that ended in a match with humans alone.
    pub with_humans: u64,
    /// Waits that ended in a match with a bot.
    pub with_bots: u64,
    /// Waits that ended because it took too long.
    pub abandoned: u64,
    /// Humans who wait still at the end.
    pub waiting_at_end: u64,
    /// Half of the waits are no longer, in milliseconds.
    pub wait_p50_ms: u64,
    /// 95 of 100 waits are no longer, in milliseconds.
    pub wait_p95_ms: u64,
    /// The longest, in milliseconds.
    pub wait_max_ms: u64,
    /// How well matched humans went together, 0 to 100, on average over matches of humans alone.
    pub quality_mean: f64,
    /// Of two humans who were matched, how many in 100 say the same region.
    pub same_region_percent: f64,
    /// Of two humans who were matched, how many in 100 say the same language.
    pub same_language_percent: f64,
    /// Matches of two who had met within the skip window.
    pub met_again: u64,
}

/// The value that `percent` of 100 are no larger than. They are in ascending order; 0 if there are none.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// A part of 100; 0 of nothing.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}
