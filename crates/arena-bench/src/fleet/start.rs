//! Until all are connected, joined and present.

use super::rig::Rig;
use super::{Args, Start, Who};
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use std::thread::sleep;
use std::time::Duration;

/// How long it may take at most, before it counts as never.
const PATIENCE: Duration = Duration::from_secs(300);
/// After that, whoever loses its connection again has had it long enough to be counted.
const SETTLED: Duration = Duration::from_secs(3);
/// A thousand bots: the adaptive start is to take less than this.
const AIM_SECS: f64 = 60.0;

/// Gateways, by what the tables call them and the lines of their configuration files. Real endpoints have limits.
const GATEWAYS: [(&str, &[&str]); 2] =
    [("defaults", &[]), ("60 joins/s", &["[realtime]", "node_joins_per_sec = 60"])];

/// The outcome of one.
struct Started {
    took: Duration,
    peak: usize,
    knocks: usize,
    /// Connections beyond those that are open in the end.
    retries: u64,
    refused_connects: u64,
    refused_joins: u64,
}

/// Starts each of them, and compares.
pub fn measure(args: &Args, start: Start<'_>, report: &mut Report) -> anyhow::Result<()> {
    const COLUMNS: [&str; 8] = [
        "gateway",
        "who",
        "all_present_s",
        "peak_connects_s",
        "connects",
        "retries",
        "refused_connects",
        "refused_joins",
    ];
    let mut table = Table::new(format!("{} clients start", args.bots), &COLUMNS);
    let mut fleet = Vec::new();
    for (gateway, config) in GATEWAYS {
        for who in &args.who {
            for run in 1..=args.runs {
                progress(&format!("start: gateway: {gateway}: {}, run {run}", who.name()));
                let started = once(args, start(*who, args.count(), config)?)?;
                table.row(started.row(gateway, *who));
                if *who == Who::Fleet {
                    fleet.push(started);
                }
            }
        }
    }
    report.table(table);
    if fleet.is_empty() {
        return Ok(());
    }
    let worst = |of: fn(&Started) -> f64| fleet.iter().map(of).fold(0.0, f64::max);
    report.at_most("seconds until all bots are present", AIM_SECS, worst(|run| run.took.as_secs_f64()));
    report.at_most("connects of bots that were refused", 0.0, worst(|run| run.refused_connects as f64));
    report.at_most("joins of bots that were refused", 0.0, worst(|run| run.refused_joins as f64));
    report.at_most("retries of bots", 0.0, worst(|run| run.retries as f64));
    Ok(())
}

impl Started {
    fn row(&self, gateway: &str, who: Who) -> [Cell; 8] {
        [
            Cell::text(gateway),
            Cell::text(who.name()),
            Cell::Number(self.took.as_secs_f64(), 1),
            Cell::Number(self.peak as f64, 0),
            Cell::Number(self.knocks as f64, 0),
            Cell::Number(self.retries as f64, 0),
            Cell::Number(self.refused_connects as f64, 0),
            Cell::Number(self.refused_joins as f64, 0),
        ]
    }
}

fn once(args: &Args, mut rig: Rig) -> anyhow::Result<Started> {
    let begun = rig.begun;
    let present = rig.until_present(args.count(), begun, PATIENCE)?;
    sleep(SETTLED);
    rig.check_present(begun)?;
    let (arrivals, totals) = (rig.proxy.arrivals().since(begun), rig.totals()?);
    rig.stop()?;
    Ok(Started {
        took: present - begun,
        peak: arrivals.peak_knocks,
        knocks: arrivals.knocks,
        retries: (arrivals.knocks as u64).saturating_sub(totals.sessions),
        refused_connects: (arrivals.refused + arrivals.unreachable) as u64 + totals.refused_handshakes,
        refused_joins: totals.refused_joins,
    })
}
