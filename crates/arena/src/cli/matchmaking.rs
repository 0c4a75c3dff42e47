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
