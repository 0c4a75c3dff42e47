//! A match after it was made: confirmed, or failed, or over.

use super::rows::MatchRow;
use crate::db::Store;
use crate::error::StoreError;
use arena_core::Timestamp;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::{MatchEnd, MatchId, TicketId};

/// What came of a confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirming {
    /// It counts; others have to confirm still, if the match is only proposed.
    Noted(MatchRow),
    /// It came too late, or the match is over for another reason.
    Over(MatchRow),
}

/// How a match ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Why.
    pub end: MatchEnd,
    /// Whose doing it is.
    pub by: Option<ParticipantId>,
    /// Whether that one waits again; others do as their wish says.
    pub requeue: bool,
    /// Until when its members are not matched with each other again.
    pub apart_until: Option<Timestamp>,
}

/// The user is not in the match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotInMatch;

impl Store {
    /// A match.
    pub async fn match_row(&self, id: MatchId) -> Result<Option<MatchRow>, StoreError> {
        let _ = id;
        todo!()
    }

    /// Matches by their ids; those that are not there are left out.
    pub async fn match_rows(&self, ids: &[MatchId]) -> Result<Vec<MatchRow>, StoreError> {
        let _ = ids;
        todo!()
    }

    /// A user confirms. When everybody has, the match stands and its tickets are matched, with `waited_ms`. Doing it again
    /// changes nothing. `None` if there is no such match; a user who is not in it is an error.
    pub async fn confirm_match(
        &self,
        id: MatchId,
        user: &ParticipantId,
        now: Timestamp,
    ) -> Result<Option<Result<Confirming, NotInMatch>>, StoreError> {
        let _ = (id, user, now);
        todo!()
    }

    /// Ends a match once. One that is proposed fails: with [`MatchEnd::Unconfirmed`] those who have confirmed wait again,
    /// with any other end all but `by` do, ahead of others and since when they began to wait; the rest is over
    /// (`Unconfirmed`, `Declined`). One that stands is over: tickets that are to wait again do so from now on, the
    /// others are over as `Played`; members stay apart until then. Nothing happens to one that is over already.
    /// Returns the match, and whether this call ended it; `None` if there is none.
    pub async fn end_match(
        &self,
        id: MatchId,
        ending: &Ending,
        now: Timestamp,
    ) -> Result<Option<(MatchRow, bool)>, StoreError> {
        let _ = (id, ending, now);
        todo!()
    }

    /// Whoever wanted another partner, but came too late to end the match, waits again: if its ticket (the one that `user`
    /// acts for) was in this match last and is over as [`arena_core::matching::TicketEnd::Played`], and nobody of it is on
    /// another ticket, then it waits from now on, as if its own call had ended the match. Nothing happens otherwise, so
    /// doing it again changes nothing. Returns whether it did.
    pub async fn wait_again(
        &self,
        id: MatchId,
        user: &ParticipantId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let _ = (id, user, now);
        todo!()
    }

    /// Proposed matches whose time to confirm has passed.
    pub async fn unconfirmed_matches(&self, now: Timestamp, limit: u32) -> Result<Vec<MatchId>, StoreError> {
        let _ = (now, limit);
        todo!()
    }

    /// Members of standing matches of a queue that were away since before `away_before`, or last heard of before
    /// `silent_before`.
    pub async fn lost_members(
        &self,
        queue: &arena_core::matching::QueueName,
        away_before: Timestamp,
        silent_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(MatchId, ParticipantId)>, StoreError> {
        let _ = (queue, away_before, silent_before, limit);
        todo!()
    }

    /// Standing matches whose conversation is exhausted, or gone.
    pub async fn matches_talked_out(&self, limit: u32) -> Result<Vec<MatchId>, StoreError> {
        let _ = limit;
        todo!()
    }

    /// Notes that a user's connection to a match's conversation has ended (`Some`), or is there again (`None`).
    pub async fn attend_match(
        &self,
        conversation: &ConversationId,
        user: &ParticipantId,
        away_since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let _ = (conversation, user, away_since);
        todo!()
    }

    /// Matches that are over and whose conversation or channel does not know it yet.
    pub async fn unsettled_matches(&self, limit: u32) -> Result<Vec<MatchRow>, StoreError> {
        let _ = limit;
        todo!()
    }

    /// Notes that nothing is left to do for these.
    pub async fn settle_matches(&self, ids: &[MatchId]) -> Result<(), StoreError> {
        let _ = ids;
        todo!()
    }

    /// Drops tickets and matches that have been over since before then, and partings that have ended; at most `limit` of
    /// each. Returns how many rows went.
    pub async fn forget_matches(
        &self,
        before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let _ = (before, now, limit);
        todo!()
    }

    /// Tickets of a match.
    pub async fn tickets_in(&self, id: MatchId) -> Result<Vec<super::rows::TicketRow>, StoreError> {
        let _: (MatchId, Option<TicketId>) = (id, None);
        todo!()
    }
}
