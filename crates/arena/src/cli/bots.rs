//! `arena bots …`

use super::values::{ConfirmArgs, PagingArgs, kind};
use arena_core::BotId;
use arena_core::channel::{ChannelKind, ChannelName, Region};
use clap::{Args, Subcommand, ValueEnum};
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// `arena bots …`
#[derive(Debug, Subcommand)]
pub enum BotsCommand {
    /// Import a roster; importing it again changes nothing
    Import {
        /// CSV or JSON file, or - for standard input
        file: PathBuf,
        /// Its format [default: by the file's extension]
        #[arg(long, value_enum)]
        format: Option<RosterFormat>,
    },
    /// List bots
    List {
        /// Which.
        #[command(flatten)]
        filter: BotFilter,
        /// How many.
        #[command(flatten)]
        paging: PagingArgs,
    },
    /// Show a bot, and why it is not live
    Show {
        /// The bot, by id or name
        bot: BotRef,
    },
    /// Give a bot a seat in a channel
    Assign {
        /// The bot, by id or name
        bot: BotRef,
        /// The channel [default: one is found]
        #[arg(long)]
        channel: Option<ChannelName>,
    },
    /// Move a bot to another channel
    Move {
        /// The bot, by id or name
        bot: BotRef,
        /// The channel it goes to
        #[arg(long, value_name = "CHANNEL")]
        to: ChannelName,
    },
    /// Start afresh with a bot that failed
    Retry {
        /// The bot, by id or name
        bot: BotRef,
    },
    /// Take a bot out of its world; it keeps its seat
    Disable {
        /// The bot, by id or name
        bot: BotRef,
    },
    /// Bring a disabled bot back
    Enable {
        /// The bot, by id or name
        bot: BotRef,
    },
    /// Delete a bot for good
    Delete {
        /// The bot, by id or name
        bot: BotRef,
        /// Whether to ask.
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
}

/// The format of a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RosterFormat {
    /// Comma-separated, with a header
    Csv,
    /// An array of objects
    Json,
}

/// Which bots.
#[derive(Debug, Args)]
pub struct BotFilter {
    /// Only bots of this channel; - for bots without one
    #[arg(long)]
    pub channel: Option<String>,
    /// Only bots in this state
    #[arg(long, value_parser = ["pending", "deploying", "live", "backoff", "failed", "disabled"])]
    pub state: Option<String>,
    /// Only bots that want this kind of channel
    #[arg(long, value_parser = kind(), ignore_case = true)]
    pub kind: Option<ChannelKind>,
    /// Only bots of this region
    #[arg(long)]
    pub region: Option<Region>,
    /// Only bots whose name begins with this
    #[arg(long, value_name = "PREFIX")]
    pub name: Option<String>,
}

/// A bot as people name it. What looks like an id is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BotRef {
    /// By its id.
    Id(BotId),
    /// By its name.
    Name(String),
}

impl FromStr for BotRef {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| BotRef::Name(text.to_owned()), BotRef::Id))
    }
}

impl fmt::Display for BotRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BotRef::Id(id) => id.fmt(f),
            BotRef::Name(name) => write!(f, "name:{name}"),
        }
    }
}
