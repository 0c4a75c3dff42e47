//! What is told of tickets and queues.

use arena_store::{MatchRow, QueueCounts, QueueRow, TicketRow, WaitStats};

/// A ticket, with the match that it is in, or was in last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketView {
    /// The ticket.
    pub ticket: TicketRow,
    /// The match.
    pub in_match: Option<MatchRow>,
}

/// A queue, with what is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueView {
    /// Its rules.
    pub queue: QueueRow,
    /// Who is in it now.
    pub counts: QueueCounts,
    /// What became of those who left it in the last hour.
    pub waits: WaitStats,
}

/// What the matchmaker of this process has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MatchmakingStats {
    /// Tickets made.
    pub tickets: u64,
    /// Matches proposed.
    pub proposed: u64,
    /// Matches that everybody confirmed.
    pub confirmed: u64,
    /// Matches that failed.
    pub failed: u64,
    /// Matches that are over after they stood.
    pub over: u64,
    /// Drafts that came to nothing because another matchmaker, or the user, was faster.
    pub lost: u64,
    /// Notices that could not be published; their tickets tell it all the same.
    pub unnoticed: u64,
    /// How long the last look at a queue took, in microseconds.
    pub tick_us: u64,
    /// Tickets that waited in it then.
    pub tick_tickets: u64,
}
