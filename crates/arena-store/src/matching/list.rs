//! Lists and numbers for people.

use super::rows::{MatchRow, TicketRow};
use crate::db::Store;
use crate::error::StoreError;
use crate::page::{Page, PageRequest};
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Kind, MatchState, QueueName, TicketState};

/// Which tickets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// Of this queue.
    pub queue: Option<QueueName>,
    /// In this state.
    pub state: Option<TicketState>,
    /// Of this user.
    pub user: Option<ParticipantId>,
    /// Of this kind.
    pub kind: Option<Kind>,
}

/// Which matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchFilter {
    /// Of this queue.
    pub queue: Option<QueueName>,
    /// In this state.
    pub state: Option<MatchState>,
    /// Only tournaments.
    pub tournaments: bool,
}

/// What is in a queue now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Humans who wait.
    pub humans: u64,
    /// Bots that wait.
    pub bots: u64,
    /// Since when the human waits who has waited longest.
    pub oldest: Option<Timestamp>,
    /// Tickets in matches that are only proposed.
    pub proposed: u64,
    /// Tickets in matches that stand.
    pub matched: u64,
}

/// What became of tickets of humans that left a queue lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitStats {
    /// Tickets of humans whose match stood.
    pub matched: u64,
    /// The wait that half of them did not exceed, in milliseconds.
    pub wait_p50_ms: Option<u64>,
    /// The wait that 95 of 100 did not exceed, in milliseconds.
    pub wait_p95_ms: Option<u64>,
    /// Mean quality of the matches, 0 to 100.
    pub quality: Option<u32>,
    /// Tickets of humans that were taken back, went silent or timed out before they were matched.
    pub abandoned: u64,
    /// Matches that were not confirmed, or declined.
    pub failed: u64,
}

impl Store {
    /// A page of tickets, oldest first.
    pub async fn tickets(
        &self,
        filter: &TicketFilter,
        page: &PageRequest,
    ) -> Result<Page<TicketRow>, StoreError> {
        let _ = (filter, page);
        todo!()
    }

    /// A page of matches, oldest first.
    pub async fn matches(
        &self,
        filter: &MatchFilter,
        page: &PageRequest,
    ) -> Result<Page<MatchRow>, StoreError> {
        let _ = (filter, page);
        todo!()
    }

    /// What is in a queue now.
    pub async fn queue_counts(&self, queue: &QueueName) -> Result<QueueCounts, StoreError> {
        let _ = queue;
        todo!()
    }

    /// What became of tickets that left a queue after `after`; of the last 10,000 at most.
    pub async fn wait_stats(&self, queue: &QueueName, after: Timestamp) -> Result<WaitStats, StoreError> {
        let _ = (queue, after);
        todo!()
    }
}
