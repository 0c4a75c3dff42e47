//! `arena channels …`

use super::bots::BotRef;
use super::values::{ConfirmArgs, PagingArgs, json_object, kind};
use arena_core::channel::{ChannelKind, ChannelName, GroupName, Region};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

/// `arena channels …`
#[derive(Debug, Subcommand)]
pub enum ChannelsCommand {
    /// Open main, vip and test where they are missing
    Init,
    /// List channels
    List {
        /// Which.
        #[command(flatten)]
        filter: ChannelFilter,
        /// How many.
        #[command(flatten)]
        paging: PagingArgs,
    },
    /// Show a channel, its bots' states, its world and its last sync
    Show {
        /// The channel
        channel: ChannelName,
    },
    /// Open a channel
    Create(CreateArgs),
    /// Change a channel's limit, metadata or status
    Configure(ConfigureArgs),
    /// Take nobody in and move its bots to its group
    Drain {
        /// The channel
        channel: ChannelName,
        /// Whether to ask.
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
    /// Take bots in again, after drain or maintenance
    Activate {
        /// The channel
        channel: ChannelName,
    },
    /// Move a channel's bots to its group, else to main, and delete it
    Delete {
        /// The channel
        channel: ChannelName,
        /// Whether to ask.
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
    /// Even out the load of a group, or of every group
    Rebalance {
        /// A channel of the group; without one, every group
        channel: Option<ChannelName>,
    },
    /// Move bots from a channel to another, all or none
    Migrate {
        /// The channel they are in
        channel: ChannelName,
        /// The channel they go to
        #[arg(long, value_name = "CHANNEL")]
        to: ChannelName,
        /// Only this bot, by id or name; may be given several times
        #[arg(long = "bot", value_name = "BOT")]
        bots: Vec<BotRef>,
    },
    /// Report on every channel: load, world, issues and what to do
    #[command(after_help = HEALTH_EXIT_CODES)]
    Health(HealthArgs),
    /// Clear world references and failed syncs, and deploy again
    Reset {
        /// Only this channel
        #[arg(long, value_name = "CHANNEL")]
        channel: Option<ChannelName>,
        /// Whether to ask.
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
}

const HEALTH_EXIT_CODES: &str = "\
Exit codes:
  0  every channel is healthy
  1  a warning
  2  something is critical
  3  cannot tell: no server answers, or wrong usage
With --watch: the last report's, when Ctrl-C ends it.";

/// Which channels.
#[derive(Debug, Args)]
pub struct ChannelFilter {
    /// Only channels of this kind
    #[arg(long, value_parser = kind(), ignore_case = true)]
    pub kind: Option<ChannelKind>,
    /// Only channels of this status
    #[arg(long, ignore_case = true, value_parser = ["ACTIVE", "FULL", "DRAINING", "MAINTENANCE"])]
    pub status: Option<String>,
    /// Only channels bound to this region
    #[arg(long)]
    pub region: Option<Region>,
    /// Only shards of this group
    #[arg(long)]
    pub group: Option<GroupName>,
}

/// Arguments of `arena channels create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Its name; without one, the next shard of the kind's group is opened
    pub name: Option<ChannelName>,
    /// What it is for
    #[arg(long, value_parser = kind(), ignore_case = true, default_value = "MAIN")]
    pub kind: ChannelKind,
    /// The region to bind it to
    #[arg(long)]
    pub region: Option<Region>,
    /// Its limit [default: the kind's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_bots: Option<u32>,
    /// Free JSON object to keep with it
    #[arg(long, value_name = "JSON", value_parser = json_object)]
    pub metadata: Option<Value>,
}

/// Arguments of `arena channels configure`.
#[derive(Debug, Args)]
#[command(override_usage = "arena channels configure [OPTIONS] <--max-bots|--metadata|--status> <CHANNEL>")]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["max_bots", "metadata", "status"]))]
pub struct ConfigureArgs {
    /// The channel
    pub channel: ChannelName,
    /// Its limit
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_bots: Option<u32>,
    /// JSON object that takes the place of its metadata
    #[arg(long, value_name = "JSON", value_parser = json_object)]
    pub metadata: Option<Value>,
    /// Whether it takes bots in; to empty it, there is `arena channels drain`
    #[arg(long, value_enum, ignore_case = true)]
    pub status: Option<SettableStatus>,
}

/// A status that takes no bot out of its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum SettableStatus {
    /// Takes bots in
    Active,
    /// Takes nobody in and keeps its bots
    Maintenance,
}

impl SettableStatus {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            SettableStatus::Active => "ACTIVE",
            SettableStatus::Maintenance => "MAINTENANCE",
        }
    }
}

/// Arguments of `arena channels health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Report again every 2 seconds until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Every channel; a terminal shows the worst 20 otherwise
    #[arg(long)]
    pub all: bool,
}
