//! `arena serve` and `arena demo`.

use super::ConfigArgs;
use crate::config::{Flag, Flags, HiddenText};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `arena serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Run a bot service too, whose bots connect to this server as clients
    #[arg(long)]
    pub fleet: bool,
    /// Where settings come from.
    #[command(flatten)]
    pub config: ConfigArgs,
}

impl ServeArgs {
    /// The settings among them.
    pub fn flags(&self) -> Flags {
        let mut flags = self.config.flags();
        if self.fleet {
            let value = HiddenText::new("true".to_owned());
            flags.more.push(Flag { name: "--fleet", section: "fleet", key: "enabled", value });
        }
        flags
    }
}

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
