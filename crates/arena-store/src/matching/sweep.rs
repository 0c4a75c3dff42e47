//! What the loops look for: matches that nobody confirmed, members who are lost, talks that are over, and what is left
//! to settle.

use super::locks::hold_matches;
use super::read;
use super::rows::MatchRow;
use crate::channels::parsed;
use crate::db::{Statement, Store, Tx, transact};
use crate::error::StoreError;
use crate::sized::{Sized, padded};
use arena_core::Timestamp;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::{MatchId, QueueName};
use sqlx::any::AnyRow;

static SETTLE: Sized =
    Sized::new("UPDATE matches SET settled = 1 WHERE state = 'over' AND id IN (VALUES ", 1, ")");

impl Store {
    /// Proposed matches whose time to confirm has passed.
    pub async fn unconfirmed_matches(&self, now: Timestamp, limit: u32) -> Result<Vec<MatchId>, StoreError> {
        let tx = self.snapshot_by_index().await?;
        let sql = "SELECT id FROM matches WHERE state = 'proposed' AND confirm_until < $1 \
                   ORDER BY confirm_until LIMIT $2";
        let query = tx.sql(sql).bind(now.0).bind(i64::from(limit));
        self.match_ids(tx, query).await
    }

    /// Members of standing matches of a queue that were away since before `away_before`, or last heard of before
    /// `silent_before`.
    pub async fn lost_members(
        &self,
        queue: &QueueName,
        away_before: Timestamp,
        silent_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(MatchId, ParticipantId)>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let sql = "SELECT m.match_id, m.user_id FROM match_members AS m JOIN matches ON matches.id = m.match_id \
                   WHERE m.away_since < $1 AND matches.queue = $2 AND matches.state = 'standing' \
                   UNION SELECT match_id, user_id FROM tickets WHERE queue = $2 AND seen_at < $3 \
                   AND state = 'matched' AND state <> 'over' LIMIT $4";
        let query = tx.sql(sql).bind(away_before.0).bind(queue.to_string()).bind(silent_before.0);
        let rows = tx.rows(query.bind(i64::from(limit))).await?;
        tx.commit().await?;
        rows.iter().map(|row| Ok((parsed(row, 0)?, parsed(row, 1)?))).collect()
    }

    /// Standing matches whose conversation is exhausted, or gone.
    pub async fn matches_talked_out(&self, limit: u32) -> Result<Vec<MatchId>, StoreError> {
        let tx = self.snapshot_by_index().await?;
        let sql = "SELECT m.id FROM matches AS m LEFT JOIN conversations AS c ON c.id = m.conversation \
                   WHERE m.state = 'standing' AND m.conversation IS NOT NULL \
                   AND (c.key IS NULL OR c.exhausted = 1) LIMIT $1";
        let query = tx.sql(sql).bind(i64::from(limit));
        self.match_ids(tx, query).await
    }

    /// Notes that a user's connection to a match's conversation has ended (`Some`), or is there again (`None`). Of several
    /// ends without a return between them, the first counts. Those who come along with a user are not waited for.
    pub async fn attend_match(
        &self,
        conversation: &ConversationId,
        user: &ParticipantId,
        away_since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let sql = match away_since {
            Some(_) => {
                "UPDATE match_members SET away_since = $3 WHERE user_id = $1 AND away_since IS NULL AND match_id IN \
                 (SELECT id FROM matches WHERE conversation = $2 AND state <> 'over')"
            }
            None => {
                "UPDATE match_members SET away_since = NULL WHERE user_id = $1 AND away_since IS NOT NULL \
                 AND match_id IN (SELECT id FROM matches WHERE conversation = $2 AND state <> 'over')"
            }
        };
        transact!(self.write_by_index(), |tx| {
            let query = tx.sql(sql).bind(user.to_string()).bind(conversation.to_string());
            tx.execute(away_since.iter().fold(query, |query, since| query.bind(since.0))).await
        })?;
        Ok(())
    }

    /// Matches that are over and whose conversation or channel does not know it yet, the oldest first.
    pub async fn unsettled_matches(&self, limit: u32) -> Result<Vec<MatchRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let sql = "SELECT id FROM matches WHERE settled = 0 ORDER BY changed_at LIMIT $1";
        let ids = ids(&tx.rows(tx.sql(sql).bind(i64::from(limit))).await?)?;
        let found = read::matches(&mut tx, &ids).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Notes that nothing is left to do for these.
    pub async fn settle_matches(&self, ids: &[MatchId]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        transact!(self.write_by_index(), |tx| {
            hold_matches(&mut tx, ids).await?;
            for part in padded(ids) {
                let query = SETTLE.of(&tx, part.len());
                tx.execute(part.iter().fold(query, |query, id| query.bind(id.to_string()))).await?;
            }
            Ok(())
        })
    }

    async fn match_ids(&self, mut tx: Tx, query: Statement) -> Result<Vec<MatchId>, StoreError> {
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        ids(&rows)
    }
}

/// The ids in the first column.
pub(super) fn ids(rows: &[AnyRow]) -> Result<Vec<MatchId>, StoreError> {
    rows.iter().map(|row| parsed(row, 0)).collect()
}
