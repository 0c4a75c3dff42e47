//! The end of a match: once, whoever brings it about; and what follows from it.

use super::acting::Requeue;
use super::clock::{after, millis};
use super::pulse::BEAT;
use super::service::Inner;
use crate::error::ServiceError;
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchEnd, MatchId, MatchState, Rules};
use arena_store::{Ending, Lost, MatchRow, now};
use std::sync::Arc;
use std::time::Duration;

/// What was heard of a user may wait so long to be written.
const UNWRITTEN: Duration = BEAT.saturating_mul(2);

impl Inner {
    /// Ends a match if it is not over; one that stands is not declined. Returns it, and whether this call ended it; `None` if there is none.
    pub(super) async fn end(
        &self,
        id: MatchId,
        end: MatchEnd,
        by: Option<ParticipantId>,
        requeue: Requeue,
    ) -> Result<Option<(MatchRow, bool)>, ServiceError> {
        let ending = Ending {
            end,
            by,
            requeue: requeue == Requeue::Yes,
            apart_until: None,
            // Whoever declines does not end what stands since a moment ago.
            only: (end == MatchEnd::Declined).then_some(MatchState::Proposed),
            lost: Lost::NOBODY,
        };
        self.end_as(id, ending).await
    }

    /// Ends one of whose members one is lost, if that one is still.
    pub(super) async fn end_without(
        &self,
        id: MatchId,
        gone: ParticipantId,
        lost: Lost,
    ) -> Result<(), ServiceError> {
        let ending = Ending {
            end: MatchEnd::Disconnected,
            by: Some(gone),
            requeue: false,
            apart_until: None,
            only: Some(MatchState::Standing),
            lost,
        };
        self.end_as(id, ending).await.map(drop)
    }

    async fn end_as(&self, id: MatchId, ending: Ending) -> Result<Option<(MatchRow, bool)>, ServiceError> {
        let Some(row) = self.store.match_row(id).await? else { return Ok(None) };
        // The others play on.
        if let (true, Some(user)) = (row.channel.is_some(), &ending.by) {
            let row = Box::pin(self.leave_tournament(row, user)).await?;
            return Ok(Some((row, false)));
        }
        let rules = self.known.rules(&self.store, &row.queue).await?;
        let now = now();
        let apart_until = (rules.skip_window_ms > 0).then(|| after(now, rules.skip_window_ms));
        let lost = match ending.lost {
            Lost::NOBODY => self.lost(&rules, millis(UNWRITTEN), now),
            lost => lost,
        };
        let ending = Ending { apart_until, lost, ..ending };
        let Some((row, ended)) = self.store.end_match(id, &ending, now).await? else { return Ok(None) };
        if ended {
            self.ended(&row);
        }
        Ok(Some((row, ended)))
    }

    /// Who is not there any more: away, or silent, for so many milliseconds longer than the rules let them be.
    pub(super) fn lost(&self, rules: &Rules, longer_ms: u64, now: Timestamp) -> Lost {
        let before = |ms: u64| self.hearing.ago(ms.saturating_add(longer_ms), now);
        Lost { away_before: before(rules.away_ms), silent_before: before(rules.silent_ms) }
    }

    /// A match has just ended: its users are told, whoever waits again is looked at, and its conversation is made to
    /// agree with it.
    fn ended(&self, row: &MatchRow) {
        if stood(row) {
            self.counters.over.add(1)
        } else {
            self.counters.failed.add(1)
        }
        self.changed_in(row);
        self.nudges.nudge(&row.queue);
        self.settling.settle(Arc::new(row.clone()));
        if row.ended == Some(MatchEnd::Blocked) {
            self.tell_operators_of_end(row);
        }
    }
}

/// Whether everybody had confirmed it.
pub(super) fn stood(row: &MatchRow) -> bool {
    row.members.iter().all(|member| member.confirmed_at.is_some())
}
