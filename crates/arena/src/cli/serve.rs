//! `arena demo`.

use super::ConfigArgs;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `arena demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Bots to import
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub bots: u32,
    /// End after the report: 0 only if every bot is live again
    #[arg(long)]
    pub exit: bool,
    /// Roster to import, CSV or JSON [default: the one that is built in]
    #[arg(long, value_name = "FILE")]
    pub roster: Option<PathBuf>,
    /// Where settings come from.
    #[command(flatten)]
    pub config: ConfigArgs,
}
