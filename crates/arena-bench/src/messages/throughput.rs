//! Messages a second, in one conversation and in many, beside the bare database at the batch size that was reached.

use super::Args;
use super::append::{Shape, append};
use super::stored::store;
use super::trial::{self, Load};
use crate::databases::Database;
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use anyhow::Context;
use std::time::Duration;

/// What most senders wait at most, in milliseconds, at the rate that is aimed at.
const ACK_MS: f64 = 20.0;
/// Messages a second over many conversations on SQLite.
const RATE: f64 = 20_000.0;
/// Of the bare database's rate.
const RATIO: f64 = 0.5;
/// Batch sizes of which the floor is shown by itself; the first is the largest that the service makes.
const FLOOR_BATCHES: [usize; 3] = [512, 256, 64];
/// Bytes of a body there.
const BODY: usize = 200;

/// Medians of all runs of one load.
#[derive(Debug, Clone, Copy)]
struct Medians {
    rate: f64,
    ack_ms_p50: f64,
    ack_ms_p99: f64,
    batch: f64,
    own_cores: f64,
    server_cores: f64,
    written_kib: f64,
    floor: f64,
    ratio: f64,
}

/// Measures all loads on a database.
pub async fn measure(args: &Args, database: &Database, report: &mut Report) -> anyhow::Result<()> {
    for conversations in args.conversations.iter().copied() {
        let mut table = ladder(database, conversations);
        let mut best: Option<Medians> = None;
        for in_flight in args.in_flight.iter().copied() {
            let load = Load { conversations, in_flight, ids: false, turns: false, lasting: args.lasting() };
            let medians = medians(args, database, load).await?;
            row(&mut table, in_flight.to_string(), &medians);
            best = Some(best.map_or(medians, |best| best.or(medians)));
        }
        let most = args.in_flight.iter().copied().max().context("no number of messages in flight")?;
        for (what, in_flight, ids, turns) in [
            (format!("{most}, with ids"), most, true, false),
            (format!("{}, in turns", most.min(conversations)), most.min(conversations), false, true),
        ] {
            if conversations > 1 {
                let load = Load { conversations, in_flight, ids, turns, lasting: args.lasting() };
                row(&mut table, what, &medians(args, database, load).await?);
            }
        }
        report.table(table);
        judge(report, database, conversations, best.context("no number of messages in flight")?);
    }
    Ok(())
}

/// The bare database by itself, and the store.
pub async fn floors(args: &Args, database: &Database) -> anyhow::Result<Table> {
    const COLUMNS: [&str; 8] = [
        "what",
        "conversations",
        "batch",
        "rows_per_s",
        "transaction_ms_p50",
        "transaction_ms_p99",
        "own_cpu_us_each",
        "written_kib_each",
    ];
    let title = format!("{}: rows of the log, one transaction after the other", database.name());
    let mut table = Table::new(title, &COLUMNS);
    let body = "x".repeat(BODY);
    for conversations in args.conversations.iter().copied() {
        for batch in FLOOR_BATCHES {
            progress(&format!("{}: floor, {conversations} conversations, {batch} rows", database.name()));
            let shape = Shape { batch, conversations, ids: false, body: &body };
            let floor = append(database, shape, args.lasting()).await?;
            let store = store(database, shape, args.lasting()).await?;
            for (what, appended) in [("floor: the bare driver", floor), ("the store alone", store)] {
                table.row([
                    Cell::text(what),
                    Cell::Number(conversations as f64, 0),
                    Cell::Number(batch as f64, 0),
                    Cell::Number(appended.rate, 0),
                    Cell::Number(appended.batches.ms(50.0), 2),
                    Cell::Number(appended.batches.ms(99.0), 2),
                    Cell::Number(appended.cpu_us, 1),
                    Cell::Number(appended.written_kib, 2),
                ]);
            }
        }
    }
    Ok(table)
}

/// Runs a load, and after each time the floor at the batch size that was reached.
async fn medians(args: &Args, database: &Database, load: Load) -> anyhow::Result<Medians> {
    let mut runs = Vec::new();
    for run in 1..=args.runs {
        let Load { conversations, in_flight, ids, turns, lasting } = load;
        let [ids_, turns_] =
            [(ids, ", with ids"), (turns, ", in turns")].map(|(on, text)| if on { text } else { "" });
        let name = database.name();
        progress(&format!(
            "{name}: {conversations} conversations, {in_flight} in flight{ids_}{turns_}, run {run}"
        ));
        let trial = trial::run(database, load).await?;
        let batch = (trial.batch.round() as usize).max(1);
        let shape = Shape { batch, conversations, ids, body: &trial.body };
        let floor = append(database, shape, lasting).await?.rate;
        runs.push(Medians {
            rate: trial.rate,
            ack_ms_p50: trial.acks.ms(50.0),
            ack_ms_p99: trial.acks.ms(99.0),
            batch: trial.batch,
            own_cores: trial.own_cores,
            server_cores: trial.server_cores,
            written_kib: trial.written_kib,
            floor,
            ratio: trial.rate / floor,
        });
    }
    Ok(Medians::of(&runs))
}

impl Medians {
    fn of(runs: &[Medians]) -> Medians {
        let median = |of: fn(&Medians) -> f64| {
            let mut figures: Vec<f64> = runs.iter().map(of).collect();
            figures.sort_unstable_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().unwrap_or_default()
        };
        Medians {
            rate: median(|run| run.rate),
            ack_ms_p50: median(|run| run.ack_ms_p50),
            ack_ms_p99: median(|run| run.ack_ms_p99),
            batch: median(|run| run.batch),
            own_cores: median(|run| run.own_cores),
            server_cores: median(|run| run.server_cores),
            written_kib: median(|run| run.written_kib),
            floor: median(|run| run.floor),
            ratio: median(|run| run.ratio),
        }
    }

    /// The one of two that is held against the aims: acknowledgements in time come first, then the rate.
    fn or(self, other: Medians) -> Medians {
        let rank = |one: &Medians| (one.ack_ms_p99 < ACK_MS, one.rate);
        if rank(&other) > rank(&self) { other } else { self }
    }
}

fn ladder(database: &Database, conversations: usize) -> Table {
    const COLUMNS: [&str; 10] = [
        "in_flight",
        "messages_per_s",
        "ack_ms_p50",
        "ack_ms_p99",
        "own_cores",
        "database_cores",
        "written_kib_each",
        "batch",
        "floor_rows_per_s",
        "ratio_to_floor",
    ];
    let many = if conversations == 1 {
        "1 conversation".to_owned()
    } else {
        format!("{conversations} conversations")
    };
    Table::new(format!("{}: {many}, each with a listener", database.name()), &COLUMNS)
}

fn row(table: &mut Table, what: String, medians: &Medians) {
    table.row([
        Cell::Text(what),
        Cell::Number(medians.rate, 0),
        Cell::Number(medians.ack_ms_p50, 2),
        Cell::Number(medians.ack_ms_p99, 2),
        Cell::Number(medians.own_cores, 2),
        Cell::Number(medians.server_cores, 2),
        Cell::Number(medians.written_kib, 2),
        Cell::Number(medians.batch, 0),
        Cell::Number(medians.floor, 0),
        Cell::Number(medians.ratio, 2),
    ]);
}

fn judge(report: &mut Report, database: &Database, conversations: usize, best: Medians) {
    let name = format!("{}, {conversations} at once", database.name());
    report.at_least(format!("{name}: messages a second against the floor"), RATIO, best.ratio);
    if conversations > 1 && !database.is_server() {
        report.at_least(format!("{name}: messages a second"), RATE, best.rate);
        report.at_most(format!("{name}: p99 of their acknowledgements, in ms"), ACK_MS, best.ack_ms_p99);
    }
}

impl Args {
    pub(super) fn lasting(&self) -> Duration {
        Duration::from_secs(self.secs)
    }
}
