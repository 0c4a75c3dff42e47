//! `arena worlds …`

use super::values::{ConfirmArgs, PagingArgs};
use arena_core::WorldId;
use arena_core::channel::ChannelName;
use clap::{Args, Subcommand};

/// `arena worlds …`
#[derive(Debug, Subcommand)]
pub enum WorldsCommand {
    /// Find a channel's world three times: as it is, from the cache, and after clearing it
    Discover(DiscoverArgs),
    /// List worlds
    List {
        /// How many.
        #[command(flatten)]
        paging: PagingArgs,
    },
    /// Show a world and who is in it
    Show {
        /// The world
        world: WorldId,
    },
    /// Make a world vanish as a crash would; its channel heals
    Wipe {
        /// The world
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        world: Option<WorldId>,
        /// Every world
        #[arg(long)]
        all: bool,
        /// Whether to ask.
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
}

/// Arguments of `arena worlds discover`.
#[derive(Debug, Args)]
pub struct DiscoverArgs {
    /// The channel
    pub channel: ChannelName,
}
