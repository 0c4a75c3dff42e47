//! What a look at a queue costs by the rules alone, and how it grows with those who wait.

use super::Args;
use super::crowd::{NOW, humans};
use crate::machine::thread_cpu;
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use anyhow::ensure;
use arena_core::matching::{Avoid, Field, RatingRule, Rules, Waiting, form};

const COLUMNS: [&str; 6] =
    ["waiting", "pairs", "cpu_ms", "ns_per_n_log_n", "ratio_to_n_log_n", "pairs_per_s"];

/// Measures one tick under the strangers' rules, and under rules with something that must be the same and ratings.
pub fn measure(args: &Args, report: &mut Report) -> anyhow::Result<()> {
    let mode = Field::Attribute("mode".parse()?);
    let rating = RatingRule { within: 50, grows_per_s: 10, at_most: Some(400) };
    let ranked = Rules { must: vec![mode], rating: Some(rating), ..Rules::strangers() };
    for (name, rules) in [("strangers", Rules::strangers()), ("must + rating", ranked)] {
        let (table, worst) = table(name, &rules, args)?;
        report.table(table);
        report.at_most(format!("{name}: growth beside n log n"), 2.0, worst);
    }
    report.note(
        "processor time of one call of the rules, medians; ratio_to_n_log_n: against the smallest crowd in the same run",
    );
    Ok(())
}

/// The table, and how much more the largest crowd cost than n log n from the smallest on.
fn table(name: &str, rules: &Rules, args: &Args) -> anyhow::Result<(Table, f64)> {
    let mut table = Table::new(format!("One tick: {name}"), &COLUMNS);
    let (mut first, mut worst) = (None, 0.0_f64);
    for many in &args.waiting {
        progress(&format!("{name}: {many} tickets"));
        let (pairs, seconds) = tick(rules, &humans(*many), args.runs)?;
        let waiting = *many as f64;
        let each = seconds * 1e9 / (waiting * waiting.log2().max(1.0));
        let ratio = each / *first.get_or_insert(each);
        worst = worst.max(ratio);
        table.row([
            Cell::Number(waiting, 0),
            Cell::Number(pairs as f64, 0),
            Cell::Number(seconds * 1e3, 2),
            Cell::Number(each, 1),
            Cell::Number(ratio, 2),
            Cell::Number(pairs as f64 / seconds, 0),
        ]);
    }
    Ok((table, worst))
}

/// So many tickets are looked at in one measurement: the processor time of a thread is counted in milliseconds.
const MEASURED: usize = 200_000;

/// How many pairs were made, and the median of the processor time in seconds.
fn tick(rules: &Rules, tickets: &[Waiting], runs: u8) -> anyhow::Result<(usize, f64)> {
    let calls = MEASURED.div_ceil(tickets.len().max(1)) as u64;
    let (mut pairs, mut times) = (0, Vec::new());
    for _ in 0..runs {
        let before = thread_cpu()?;
        for tick in 0..calls {
            pairs = form(rules, tickets, &Avoid::default(), NOW, tick).len();
        }
        times.push((thread_cpu()? - before).as_secs_f64() / calls as f64);
    }
    ensure!(pairs * 3 > tickets.len(), "only {pairs} pairs of {} tickets", tickets.len());
    times.sort_by(f64::total_cmp);
    Ok((pairs, times[times.len() / 2]))
}
