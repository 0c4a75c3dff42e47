//! The transaction that makes matches: tickets are claimed, the match, its conversation and its members written.

use crate::conversations::{ConversationRow, LogRow};
use crate::db::Store;
use crate::error::{OpError, StoreError};
use crate::matching::rows::MatchRow;
use arena_core::Timestamp;
use arena_core::matching::{MatchId, QueueName, TicketId};

/// A match that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchDraft {
    /// Its new id.
    pub id: MatchId,
    /// Which tickets, with the versions that were read, by team.
    pub teams: Vec<Vec<(TicketId, i64)>>,
    /// How well they go together, 0 to 100.
    pub quality: u32,
    /// Until when everybody has to confirm.
    pub confirm_until: Timestamp,
    /// Its conversation, which is new.
    pub conversation: ConversationRow,
    /// The first entries of its log, from 1 without gaps: as many as `conversation.position` says. Whoever adds to the
    /// log finds it as long as the row says that it is.
    pub log: Vec<LogRow>,
}

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
    /// Makes matches of a queue in one transaction: a draft is made if every ticket of it waits still, in the version that
    /// was read; the others are left out, and harm nobody. Returns those that were made, in the order of the drafts.
    pub async fn make_matches(
        &self,
        queue: &QueueName,
        drafts: &[MatchDraft],
        now: Timestamp,
    ) -> Result<Vec<MatchId>, StoreError> {
        let _ = (queue, drafts, now);
        todo!()
    }

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
}
