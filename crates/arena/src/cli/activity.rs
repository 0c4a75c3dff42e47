//! `arena activity …`

use super::bots::BotRef;
use super::values::PagingArgs;
use arena_core::channel::ChannelName;
use clap::{Args, Subcommand};

/// `arena activity …`
#[derive(Debug, Subcommand)]
pub enum ActivityCommand {
    /// List what happened, newest first
    List {
        /// Which.
        #[command(flatten)]
        filter: ActivityFilter,
        /// How many.
        #[command(flatten)]
        paging: PagingArgs,
    },
}

/// Which activity.
#[derive(Debug, Args)]
pub struct ActivityFilter {
    /// Only what concerns this bot, by id or name
    #[arg(long)]
    pub bot: Option<BotRef>,
    /// Only what concerns this channel
    #[arg(long)]
    pub channel: Option<ChannelName>,
    /// Only this action
    #[arg(long)]
    pub action: Option<String>,
}
