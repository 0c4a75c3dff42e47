//! How long humans wait and how well they go together, beside first come, first served, in virtual time.

use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use arena_core::matching::Rules;
use arena_core::matching::simulate::{Plan, Tally, simulate};

const COLUMNS: [&str; 11] = [
    "humans_per_s",
    "matcher",
    "arrivals",
    "with_humans",
    "with_bots",
    "abandoned",
    "wait_p50_ms",
    "wait_p95_ms",
    "quality",
    "same_region_pc",
    "same_language_pc",
];

/// Evenings on which few, some and many come.
const HUMANS_PER_S: [f64; 3] = [0.2, 2.0, 20.0];

/// Replays an evening of each kind under the strangers' rules.
pub fn measure(report: &mut Report) -> anyhow::Result<()> {
    let mut table = Table::new("Ten minutes, the same arrivals under both", &COLUMNS);
    for humans_per_s in HUMANS_PER_S {
        progress(&format!("fairness: {humans_per_s} humans a second"));
        let plan = Plan { humans_per_s, ..Plan::default() };
        let both = simulate(&Rules::strangers(), &plan)?;
        for (matcher, tally) in [("rules", &both.rules), ("first come", &both.first_come)] {
            table.row(row(humans_per_s, matcher, tally));
        }
        let gained = both.rules.quality_mean / both.first_come.quality_mean.max(1.0);
        report.at_least(format!("{humans_per_s} humans/s: quality beside first come"), 1.2, gained);
    }
    report.table(table);
    report.note("waits are virtual: the strangers' rules, 20 bots, a look every 250 ms; quality is 0 to 100");
    Ok(())
}

fn row(humans_per_s: f64, matcher: &str, tally: &Tally) -> [Cell; 11] {
    let count = |many: u64| Cell::Number(many as f64, 0);
    [
        Cell::Number(humans_per_s, 1),
        Cell::text(matcher),
        count(tally.arrivals),
        count(tally.with_humans),
        count(tally.with_bots),
        count(tally.abandoned),
        count(tally.wait_p50_ms),
        count(tally.wait_p95_ms),
        Cell::Number(tally.quality_mean, 1),
        Cell::Number(tally.same_region_percent, 1),
        Cell::Number(tally.same_language_percent, 1),
    ]
}
