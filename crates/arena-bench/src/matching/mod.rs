//! `match`: what it takes to put waiting tickets together, and how long they wait.

mod bare;
mod crowd;
mod fairness;
mod stored;
mod tick;

use crate::report::Report;
use clap::ValueEnum;

/// Arguments of `match`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How often each measurement is done; medians are shown
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// Tickets that wait at the same time
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    waiting: Vec<usize>,
    /// Tickets that wait in the store
    #[arg(long, default_value_t = 10_000)]
    stored: usize,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What a look at a queue costs by the rules alone, and how it grows
    Tick,
    /// A whole look at a queue of the store's, beside the bare database
    Store,
    /// How long humans wait and how well they go together, beside first come, first served
    Fairness,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// Runs the benchmark.
pub async fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new("match");
    if args.wants(Part::Tick) {
        tick::measure(args, &mut report)?;
    }
    if args.wants(Part::Store) {
        stored::measure(args, &mut report).await?;
    }
    if args.wants(Part::Fairness) {
        fairness::measure(&mut report)?;
    }
    Ok(report)
}
