//! What a simulation of matchmaking came to.

use super::matchmaking::wait;
use super::style::{Color, Style};
use super::table::{Cell, Column, Table};
use super::text::{counted, thousands};
use arena_core::matching::simulate::{Plan, Report, Tally};

/// One line of the comparison: what is counted, and how it is shown.
type Row = (&'static str, fn(&Tally) -> String);

const ROWS: [Row; 12] = [
    ("waits of humans", |tally| thousands(tally.waits)),
    ("ended with humans", |tally| share(tally.with_humans, tally.waits)),
    ("ended with a bot", |tally| share(tally.with_bots, tally.waits)),
    ("gave up", |tally| share(tally.abandoned, tally.waits)),
    ("wait still", |tally| thousands(tally.waiting_at_end)),
    ("wait p50", |tally| wait(tally.wait_p50_ms)),
    ("wait p95", |tally| wait(tally.wait_p95_ms)),
    ("longest wait", |tally| wait(tally.wait_max_ms)),
    ("quality, 0 to 100", |tally| format!("{:.1}", tally.quality_mean)),
    ("same region", |tally| format!("{:.1} %", tally.same_region_percent)),
    ("same language", |tally| format!("{:.1} %", tally.same_language_percent)),
    ("met again too soon", |tally| thousands(tally.met_again)),
];

/// The rules beside plain first come, first served, over the same arrivals.
pub fn simulation_view(plan: &Plan, report: &Report, style: &Style) -> String {
    let mut table =
        Table::new([Column::text(""), Column::number("RULES"), Column::number("FIRST COME, FIRST SERVED")]);
    for (name, of) in ROWS {
        table.row([Cell::colored(name, Color::Dim), of(&report.rules).into(), of(&report.first_come).into()]);
    }
    let what = format!(
        "{} in {} s ({} a second), {}, seed {}",
        counted(report.rules.arrivals, "human"),
        thousands(plan.duration_s.into()),
        plan.humans_per_s,
        counted(plan.bots.into(), "bot"),
        plan.seed,
    );
    format!("{what}\n\n{}", table.render(style))
}

/// A number, and its share in percent.
fn share(part: u64, whole: u64) -> String {
    // Exact up to 2^53, which no simulation comes near to.
    let percent = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    format!("{} ({percent:.1} %)", thousands(part))
}
