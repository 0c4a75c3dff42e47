//! Tournaments: the transaction that begins one, and its games.

use super::rows::MatchRow;
use crate::db::Store;
use crate::error::{OpError, StoreError};
use arena_core::Timestamp;
use arena_core::matching::{MatchId, QueueName, TicketId};

/// A tournament that is to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct TournamentDraft {
    /// Its new id.
    pub id: MatchId,
    /// Which tickets, with the versions that were read, in the order of its entrants.
    pub tickets: Vec<(TicketId, i64)>,
    /// The tournament as JSON.
    pub state: String,
    /// The region of its channel.
    pub region: Option<arena_core::channel::Region>,
    /// Until when seats of players are kept who have not entered.
    pub seats_until: Timestamp,
}

impl Store {
    /// Begins a tournament in one transaction: tickets are claimed, a TOURNAMENT channel is opened with as many seats, and
    /// each entrant gets one: a user that is the id of a bot of ours moves there, others have a player's seat reserved.
    /// `None` if a ticket was claimed by another meanwhile.
    pub async fn make_tournament(
        &self,
        queue: &QueueName,
        draft: &TournamentDraft,
        now: Timestamp,
    ) -> Result<Option<MatchRow>, OpError> {
        let _ = (queue, draft, now);
        todo!()
    }

    /// A tournament as JSON, with its version.
    pub async fn tournament(&self, id: MatchId) -> Result<Option<(String, i64)>, StoreError> {
        let _ = id;
        todo!()
    }

    /// Writes a tournament that was read in this version. `false` if another was faster: read again.
    pub async fn write_tournament(&self, id: MatchId, version: i64, state: &str) -> Result<bool, StoreError> {
        let _ = (id, version, state);
        todo!()
    }
}
