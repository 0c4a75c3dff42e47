//! `arena match …`

use super::values::{ConfirmArgs, PagingArgs};
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchId, QueueName, TicketId};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `arena match …`
#[derive(Debug, Subcommand)]
pub enum MatchCommand {
    /// List queues: who waits, and how long others have waited
    Queues,
    /// Show a queue and its rules
    Queue {
        /// The queue
        queue: QueueName,
    },
    /// Make a queue, or give it other rules
    Set {
        /// The queue
        queue: QueueName,
        /// Its rules: a JSON file, as docs/matchmaking.md has it; - is standard input
        file: PathBuf,
    },
    /// Delete a queue; those who wait in it are told
    Delete {
        /// The queue
        queue: QueueName,
        /// Whether to ask.
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
    /// List tickets, oldest first
    Tickets {
        /// Which.
        #[command(flatten)]
        filter: TicketFilter,
        /// How many.
        #[command(flatten)]
        paging: PagingArgs,
    },
    /// Show a ticket and its match
    Ticket {
        /// The ticket
        ticket: TicketId,
    },
    /// List matches, oldest first
    Matches {
        /// Which.
        #[command(flatten)]
        filter: MatchFilter,
        /// How many.
        #[command(flatten)]
        paging: PagingArgs,
    },
    /// Show a match and who is in it
    Match {
        /// The match
        id: MatchId,
    },
    /// End a match
    Close {
        /// The match
        id: MatchId,
        /// Whether to ask.
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
    /// List what users report of each other, newest first
    Reports {
        /// How many.
        #[command(flatten)]
        paging: PagingArgs,
    },
    /// List tournaments, oldest first
    Tournaments {
        /// Which.
        #[command(flatten)]
        filter: MatchFilter,
        /// How many.
        #[command(flatten)]
        paging: PagingArgs,
    },
    /// Show a tournament: its games, and who stands where
    Tournament {
        /// The tournament
        id: MatchId,
    },
    /// Replay arrivals through a queue's rules, beside first come, first served; needs no server
    Simulate(SimulateArgs),
}

/// Arguments of `arena match simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Decides all that is left to chance; the same seed gives the same result
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// For how many seconds humans come
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub seconds: u32,
    /// How many come in a second, on average
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    pub humans_per_s: f64,
    /// Bots that stand by
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub bots: u32,
    /// The queue's rules, a JSON file as for `set`; - is standard input [default: those of strangers]
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
}

/// Which tickets.
#[derive(Debug, Args)]
pub struct TicketFilter {
    /// Only those of this queue
    #[arg(long)]
    pub queue: Option<QueueName>,
    /// Only those in this state
    #[arg(long, value_parser = ["waiting", "proposed", "matched", "over"])]
    pub state: Option<String>,
    /// Only those of this user
    #[arg(long)]
    pub user: Option<ParticipantId>,
    /// Only those of humans, or of bots
    #[arg(long, value_parser = ["human", "bot"])]
    pub kind: Option<String>,
}

/// Which matches.
#[derive(Debug, Args)]
pub struct MatchFilter {
    /// Only those of this queue
    #[arg(long)]
    pub queue: Option<QueueName>,
    /// Only those in this state
    #[arg(long, value_parser = ["proposed", "standing", "over"])]
    pub state: Option<String>,
}
