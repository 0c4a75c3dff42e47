//! `messages`: conversations that charge, store and deliver what is said in them, beside the bare database.

mod append;

use crate::databases::DatabaseChoice;
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use append::{Shape, append};
use std::time::Duration;

/// Arguments of `messages`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How long each measurement lasts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    secs: u64,
    /// Which database
    #[arg(long, value_enum, default_value = "both")]
    database: DatabaseChoice,
}

/// Runs the benchmark.
pub async fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new("messages");
    let body = "x".repeat(200);
    for database in args.database.start()? {
        let mut table = Table::new(
            format!("{}: floor", database.name()),
            &["conversations", "ids", "batch", "per_s", "batch_ms_p50", "batch_ms_p99", "own_cpu_us"],
        );
        for conversations in [1, 1_000] {
            for ids in [false, true] {
                for batch in [512, 256, 64] {
                    progress(&format!("{}: {conversations} {batch}", database.name()));
                    let shape = Shape { batch, conversations, ids, body: &body };
                    let appended = append(&database, shape, Duration::from_secs(args.secs)).await?;
                    table.row([
                        Cell::Number(conversations as f64, 0),
                        Cell::text(if ids { "yes" } else { "no" }),
                        Cell::Number(batch as f64, 0),
                        Cell::Number(appended.rate, 0),
                        Cell::Number(appended.batches.ms(50.0), 2),
                        Cell::Number(appended.batches.ms(99.0), 2),
                        Cell::Number(appended.cpu_us, 1),
                    ]);
                }
            }
        }
        report.table(table);
    }
    Ok(report)
}
