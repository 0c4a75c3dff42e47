//! The end of a match: once, whoever brings it about; and what follows from it.

use super::acting::Requeue;
use super::clock::after;
use super::service::Inner;
use crate::error::ServiceError;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchEnd, MatchId};
use arena_store::{Ending, MatchRow, now};
use std::sync::Arc;

impl Inner {
    /// Ends a match if it is not over. Returns it, and whether this call ended it; `None` if there is none.
    pub(super) async fn end(
        &self,
        id: MatchId,
        end: MatchEnd,
        by: Option<ParticipantId>,
        requeue: Requeue,
    ) -> Result<Option<(MatchRow, bool)>, ServiceError> {
        let Some(row) = self.store.match_row(id).await? else { return Ok(None) };
        // The others play on.
        if let (true, Some(user)) = (row.channel.is_some(), &by) {
            let row = Box::pin(self.leave_tournament(row, user)).await?;
            return Ok(Some((row, false)));
        }
        let rules = self.known.rules(&self.store, &row.queue).await?;
        let now = now();
        // Whoever was too slow to confirm has not met anybody.
        let apart = end != MatchEnd::Unconfirmed && rules.skip_window_ms > 0;
        let ending = Ending {
            end,
            by,
            requeue: requeue == Requeue::Yes,
            apart_until: apart.then(|| after(now, rules.skip_window_ms)),
        };
        let Some((row, ended)) = self.store.end_match(id, &ending, now).await? else { return Ok(None) };
        if ended {
            self.ended(&row);
        }
        Ok(Some((row, ended)))
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
