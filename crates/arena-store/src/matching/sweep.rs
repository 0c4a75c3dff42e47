//! What the loops look for: matches that nobody confirmed, members who are lost, talks that are over, and what is left
//! to settle.

use super::locks::hold_matches;
use super::read;
use super::rows::MatchRow;
use crate::channels::parsed;
use crate::db::{Statement, Store, Tx, transact};
use crate::error::StoreError;
use crate::sized::{Sized, padded, parts};
use arena_core::Timestamp;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::{MatchId, QueueName};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, BTreeSet};

static SETTLE: Sized =
    Sized::new("UPDATE matches SET settled = 1 WHERE state = 'over' AND id IN (VALUES ", 1, ")");

static TALKING: Sized = Sized::new(
    "SELECT m.id, m.conversation FROM matches AS m WHERE m.state <> 'over' AND m.conversation IS NOT NULL \
     AND m.conversation IN (VALUES ",
    1,
    ")",
);

/// Only where it changes whether somebody is away: of several ends without a return between them, the first counts.
static ATTEND: Sized = Sized::new(
    "UPDATE match_members SET away_since = v.column3 FROM (VALUES ",
    3,
    ") AS v JOIN matches ON matches.id = v.column1 AND matches.state <> 'over' \
     WHERE match_members.match_id = v.column1 AND match_members.user_id = v.column2 \
     AND (match_members.away_since IS NULL) = (v.column3 IS NOT NULL)",
);

/// A user in the conversation of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendance {
    /// Where.
    pub conversation: ConversationId,
    /// Who.
    pub user: ParticipantId,
    /// Since when its connection is gone; nothing if it is there.
    pub away_since: Option<Timestamp>,
}

impl Store {
    /// Proposed matches whose time to confirm has passed.
    pub async fn unconfirmed_matches(&self, now: Timestamp, limit: u32) -> Result<Vec<MatchId>, StoreError> {
        let tx = self.snapshot_by_index().await?;
        let sql = "SELECT id FROM matches WHERE state = 'proposed' AND confirm_until < $1 \
                   ORDER BY confirm_until LIMIT $2";
        let query = tx.sql(sql).bind(now.0).bind(i64::from(limit));
        self.match_ids(tx, query).await
    }

    /// Proposed matches whose time to confirm is not over before then: what is behind this place in the order of their
    /// ends, without those that cannot be read.
    pub async fn proposed_matches(
        &self,
        behind: (Timestamp, MatchId),
        limit: u32,
    ) -> Result<Vec<MatchRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let sql = "SELECT id FROM matches WHERE state = 'proposed' AND (confirm_until, id) > ($1, $2) \
                   ORDER BY confirm_until, id LIMIT $3";
        let query = tx.sql(sql).bind(behind.0.0).bind(behind.1.to_string()).bind(i64::from(limit));
        let ids = ids(&tx.rows(query).await?)?;
        let found = read::legible_matches(&mut tx, &ids).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Matches by their ids, in that order, without those that are not there or cannot be read.
    pub async fn legible_matches(&self, ids: &[MatchId]) -> Result<Vec<MatchRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let found = read::legible_matches(&mut tx, ids).await?;
        tx.commit().await?;
        Ok(found)
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
        // A tournament has a channel, everything else a conversation. Asking for the latter would have SQLite walk all
        // matches that are kept, by their conversations.
        let sql = "SELECT m.id FROM matches AS m LEFT JOIN conversations AS c ON c.id = m.conversation \
                   WHERE m.state = 'standing' AND m.channel IS NULL \
                   AND (c.key IS NULL OR c.exhausted = 1) LIMIT $1";
        let query = tx.sql(sql).bind(i64::from(limit));
        self.match_ids(tx, query).await
    }

    /// Notes that users' connections to matches' conversations have ended, or are there again; each user at most once in a
    /// conversation. Of several ends without a return between them, the first counts. Those who come along with a user are
    /// not waited for.
    pub async fn attend_matches(&self, attendances: &[Attendance]) -> Result<(), StoreError> {
        if attendances.is_empty() {
            return Ok(());
        }
        transact!(self.write_by_index(), |tx| {
            let talking = talking(&mut tx, attendances).await?;
            let ids: Vec<_> = talking.values().copied().collect();
            // Nobody is away from a match that ends meanwhile.
            hold_matches(&mut tx, &ids).await?;
            let known: Vec<_> = attendances
                .iter()
                .filter_map(|attendance| Some((talking.get(attendance.conversation.as_str())?, attendance)))
                .collect();
            for part in parts(&known) {
                let query = part.iter().fold(ATTEND.of(&tx, part.len()), |query, (id, attendance)| {
                    let away_since = attendance.away_since.map(|since| since.0);
                    query.bind(id.to_string()).bind(attendance.user.to_string()).bind(away_since)
                });
                tx.execute(query).await?;
            }
            Ok(())
        })
    }

    /// Matches that are over and whose conversation does not know it yet, the oldest first; without those that cannot be
    /// read.
    pub async fn unsettled_matches(&self, limit: u32) -> Result<Vec<MatchRow>, StoreError> {
        let sql = "SELECT id FROM matches WHERE settled = 0 AND channel IS NULL ORDER BY changed_at LIMIT $1";
        self.unsettled(sql, limit).await
    }

    /// Tournaments that are over and whose channel is not closed yet, the oldest first. They may be so for minutes, as
    /// players stay, and are no reason to look at a conversation later.
    pub async fn unsettled_tournaments(&self, limit: u32) -> Result<Vec<MatchRow>, StoreError> {
        let sql =
            "SELECT id FROM matches WHERE settled = 0 AND channel IS NOT NULL ORDER BY changed_at LIMIT $1";
        self.unsettled(sql, limit).await
    }

    async fn unsettled(&self, sql: &'static str, limit: u32) -> Result<Vec<MatchRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let ids = ids(&tx.rows(tx.sql(sql).bind(i64::from(limit))).await?)?;
        let found = read::legible_matches(&mut tx, &ids).await?;
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

/// The matches, not over, that these conversations belong to.
async fn talking(tx: &mut Tx, attendances: &[Attendance]) -> Result<BTreeMap<String, MatchId>, StoreError> {
    let conversations: BTreeSet<_> = attendances.iter().map(|one| one.conversation.as_str()).collect();
    let conversations: Vec<_> = conversations.into_iter().collect();
    let mut found = BTreeMap::new();
    for part in padded(&conversations) {
        let query = part.iter().fold(TALKING.of(tx, part.len()), |query, id| query.bind(*id));
        for row in tx.rows(query).await? {
            found.insert(row.try_get(1)?, parsed(&row, 0)?);
        }
    }
    Ok(found)
}

/// The ids in the first column.
pub(super) fn ids(rows: &[AnyRow]) -> Result<Vec<MatchId>, StoreError> {
    rows.iter().map(|row| parsed(row, 0)).collect()
}
