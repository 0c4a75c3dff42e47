//! `messages`: conversations that charge, store and deliver what is said in them, beside the bare database.

mod append;
mod bulk;
pub mod holder;
mod limit;
mod listener;
mod memory;
mod rig;
mod stored;
mod throughput;
mod trial;

use crate::databases::DatabaseChoice;
use crate::report::Report;
use clap::ValueEnum;
use std::path::PathBuf;

/// Arguments of `messages`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How long each measurement lasts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    secs: u64,
    /// How often each is done; medians are shown
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// Messages under way at the same time
    #[arg(long, value_delimiter = ',', default_value = "64,512,2048,4096")]
    in_flight: Vec<usize>,
    /// Conversations that are spoken in at the same time
    #[arg(long, value_delimiter = ',', default_value = "1,1000")]
    conversations: Vec<usize>,
    /// Races for the last messages of a conversation
    #[arg(long, default_value_t = 1_000)]
    races: u32,
    /// Conversations in a large store, beside a small one
    #[arg(long, default_value_t = 1_000_000)]
    stored: usize,
    /// The program [default: `arena` beside this one; `cargo build --release -p arena` makes it]
    #[arg(long)]
    arena: Option<PathBuf>,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Which database
    #[arg(long, value_enum, default_value = "both")]
    database: DatabaseChoice,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The bare database and the store by themselves
    Floor,
    /// Messages a second, beside the floor
    Throughput,
    /// Many senders race for the last messages
    Limit,
    /// Memory of conversations in one process
    Memory,
    /// Start and memory over a large store
    Store,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// Runs the benchmark.
pub async fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new("messages");
    for database in args.database.start()? {
        if args.wants(Part::Floor) {
            report.table(throughput::floors(args, &database).await?);
        }
        if args.wants(Part::Throughput) {
            throughput::measure(args, &database, &mut report).await?;
        }
        if args.wants(Part::Limit) {
            limit::measure(args, &database, &mut report).await?;
        }
    }
    if args.wants(Part::Memory) {
        memory::measure_held(&mut report)?;
    }
    if args.wants(Part::Store) {
        memory::measure_store(args, &mut report).await?;
    }
    Ok(report)
}
