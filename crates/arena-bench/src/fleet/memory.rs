//! What a bot takes of the bot service's memory.

use super::{Args, Start, Who};
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use anyhow::Context;
use std::thread::sleep;
use std::time::Duration;

/// How long a start may take at most.
const PATIENCE: Duration = Duration::from_secs(300);
/// What starting took is over by then, and every bot has sent a heartbeat.
const SETTLED: Duration = Duration::from_secs(30);
/// As few as make a fleet: what all its bots have in common.
const FEW: usize = 3;
const AIM_KIB: f64 = 50.0;

/// Measures a small fleet and a large one.
pub fn measure(args: &Args, start: Start<'_>, report: &mut Report) -> anyhow::Result<()> {
    let mut table = Table::new("memory of the bot service", &["what", "value", "unit"]);
    let few = resident(start, FEW)?;
    let many = resident(start, args.count())?;
    let each = (many - few) / (args.count() - FEW) as f64 / 1024.0;
    let mebibytes = |bytes: f64| Cell::Number(bytes / 1024.0 / 1024.0, 1);
    table.row([Cell::text(format!("{FEW} bots")), mebibytes(few), Cell::text("MiB")]);
    table.row([Cell::text(format!("{} bots", args.bots)), mebibytes(many), Cell::text("MiB")]);
    table.row([Cell::text("each bot, with its connection"), Cell::Number(each, 1), Cell::text("KiB")]);
    report.table(table);
    report.at_most("memory of a bot, in KiB", AIM_KIB, each);
    Ok(())
}

/// Memory of a fleet that has settled, in bytes.
fn resident(start: Start<'_>, bots: usize) -> anyhow::Result<f64> {
    progress(&format!("memory: {bots} bots"));
    let mut rig = start(Who::Fleet, bots, &[])?;
    let begun = rig.begun;
    rig.until_present(bots, begun, PATIENCE)?;
    sleep(SETTLED);
    rig.check_present(begun)?;
    let bytes = rig.service().context("invariant: the bot service is measured")?.memory()?;
    rig.stop()?;
    Ok(bytes as f64)
}
