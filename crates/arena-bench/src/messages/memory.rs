//! What conversations cost that are only there: memory, and time at the start.

use super::Args;
use super::bulk;
use super::holder::{Plan, Stage, hold};
use crate::machine::resident_bytes;
use crate::progress;
use crate::report::Report;
use crate::server::{Server, find_arena};
use crate::table::{Cell, Table};
use anyhow::Context;
use arena_testing::{TempDir, TestDatabase};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// Conversations that are created to be held in memory.
const HELD: [usize; 2] = [10_000, 50_000];
/// Of those in the store, spoken in.
const ACTIVE: usize = 1_000;
/// How much more a start may take with a large store than with a small one, and how much more memory. Neither grows
/// with the store; single starts differ by so much.
const GROWTH: f64 = 1.5;
/// What starting took is over by then.
const SETTLED: Duration = Duration::from_secs(3);

/// Memory of conversations by what is done with them.
pub fn measure_held(report: &mut Report) -> anyhow::Result<()> {
    const COLUMNS: [&str; 5] = ["what", "conversations", "memory_mib", "kib_each", "cpu_us_each"];
    let mut table =
        Table::new("SQLite: conversations in the memory of one process, 4 participants", &COLUMNS);
    for count in HELD {
        for plan in [Plan::Fill, Plan::Leave] {
            progress(&format!("memory: {count} conversations, {plan:?}"));
            let database = TestDatabase::sqlite();
            let stages = hold(database.url(), plan, count, 0)?;
            let first = stages.first().context("it has seen nothing")?;
            for stage in &stages[1..] {
                let grown = stage.bytes as f64 - first.bytes as f64;
                table.row([
                    Cell::text(&stage.what),
                    Cell::Number(count as f64, 0),
                    Cell::Number(mib(stage.bytes), 0),
                    Cell::Number(grown / 1024.0 / count as f64, 2),
                    Cell::Number(stage.cpu_ms * 1e3 / count as f64, 0),
                ]);
            }
        }
    }
    report.table(table);
    report.note("held in memory: each row of a process goes on from the one before it; kib_each is what it has grown by since its start");
    Ok(())
}

/// Start and memory beside a small store and a large one.
pub async fn measure_store(args: &Args, report: &mut Report) -> anyhow::Result<()> {
    const COLUMNS: [&str; 5] = ["what", "small", "large", "ratio", "unit"];
    let sizes = [ACTIVE, args.stored];
    let mut table = Table::new(
        format!(
            "SQLite: a store of {} conversations beside one of {}; {ACTIVE} are spoken in",
            sizes[1], sizes[0]
        ),
        &COLUMNS,
    );
    let arena = find_arena(args.arena.as_deref())?;
    let mut seen = Vec::new();
    for size in sizes {
        let dir = TempDir::new("bench-conversations")?;
        let file = dir.path().join("arena.db");
        progress(&format!("memory: a store of {size} conversations is made"));
        bulk::make(&format!("sqlite:{}", file.display()), size).await?;
        let bytes = std::fs::metadata(&file)?.len();
        progress("memory: processes over it");
        let server = serve(&arena, dir.path())?;
        let stages = hold(&format!("sqlite:{}", file.display()), Plan::Wake, size, ACTIVE)?;
        seen.push((bytes, server, stages));
    }
    let [small, large] = &seen[..] else { anyhow::bail!("invariant: two stores") };
    let mut row =
        |what: &str, unit: &str, decimals: usize, of: &dyn Fn(&(u64, [f64; 2], Vec<Stage>)) -> f64| {
            let [small, large] = [of(small), of(large)];
            let ratio = large / small;
            table.row([
                Cell::text(what),
                Cell::Number(small, decimals),
                Cell::Number(large, decimals),
                Cell::Number(ratio, 2),
                Cell::text(unit),
            ]);
            ratio
        };
    row("the file", "MiB", 0, &|seen| mib(seen.0));
    let start = row("`arena serve` answers", "ms", 1, &|seen| seen.1[0]);
    let idle = row("its memory, 3 s later", "MiB", 1, &|seen| mib(seen.1[1] as u64));
    let stages = small.2.len();
    let mut active = 0.0;
    for n in 0..stages {
        let what = small.2[n].what.clone();
        row(&format!("service: {what}"), "ms", 1, &|seen| seen.2[n].ms);
        active = row(&format!("service: {what}, memory"), "MiB", 1, &|seen| mib(seen.2[n].bytes));
    }
    report.table(table);
    report.at_most("start of a server with the large store, against the small one", GROWTH, start);
    report.at_most("its memory, likewise", GROWTH, idle);
    report.at_most(format!("memory with {ACTIVE} active ones, likewise"), GROWTH, active);
    Ok(())
}

/// Milliseconds until the real program answers, and its memory in bytes once it is idle.
fn serve(arena: &Path, data: &Path) -> anyhow::Result<[f64; 2]> {
    let mut server = Server::start_over(arena, data, &[])?;
    let answering = server.until_it_answers()?;
    sleep(SETTLED);
    Ok([answering.as_secs_f64() * 1e3, resident_bytes(&server.pid())? as f64])
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
