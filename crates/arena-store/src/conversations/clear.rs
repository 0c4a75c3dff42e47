//! Letting go of conversations: those that ended long ago, and what is left of those that were deleted.

use super::write::delete;
use crate::batch;
use crate::db::{Store, Tx, transact};
use crate::error::StoreError;
use arena_core::Timestamp;
use sqlx::Row;

/// Most rows of logs that one transaction deletes, so that nobody waits long behind it.
const ROWS_AT_ONCE: u32 = 1_000;
/// Most conversations that one transaction looks at.
const CONVERSATIONS_AT_ONCE: i64 = 100;

impl Store {
    /// Deletes at most `limit` conversations that are exhausted and in which nothing happened since `ended_before`,
    /// the oldest first. Returns how many.
    pub async fn prune_conversations(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "SELECT key FROM conversations WHERE exhausted = 1 AND changed_at < $1 \
                   ORDER BY changed_at LIMIT $2";
        // Mostly there is none, and then nobody is kept from writing.
        let mut tx = self.read().await?;
        let any = tx.row(tx.sql(sql).bind(ended_before.0).bind(1)).await?;
        tx.commit().await?;
        if any.is_none() {
            return Ok(0);
        }
        transact!(self.write_conversation_rows(true), |tx| {
            let keys = keys(&mut tx, sql, ended_before.0, i64::from(limit)).await?;
            delete(&mut tx, &keys).await?;
            Ok(keys.len() as u64)
        })
    }

    /// Deletes the logs of deleted conversations, at most `limit` rows, in small transactions. Returns how many rows;
    /// fewer than `limit` when none are left.
    pub async fn clear_deleted(&self, limit: u32) -> Result<u64, StoreError> {
        let mut left = limit;
        while left > 0 {
            let most = left.min(ROWS_AT_ONCE);
            let Some(cleared) = self.clear_some(most).await? else { break };
            left -= cleared;
        }
        Ok(u64::from(limit - left))
    }

    /// Deletes at most so many rows of the first logs that are to be cleared. Returns how many, `None` if there are no
    /// such logs.
    async fn clear_some(&self, most: u32) -> Result<Option<u32>, StoreError> {
        let waiting = "SELECT key FROM deleted_conversations WHERE key > $1 ORDER BY key LIMIT $2";
        let mut tx = self.read().await?;
        let keys = keys(&mut tx, waiting, i64::MIN, CONVERSATIONS_AT_ONCE).await?;
        tx.commit().await?;
        if keys.is_empty() {
            return Ok(None);
        }
        let cleared = transact!(self.write(), |tx| {
            let cleared = clear(&mut tx, &keys, most).await?;
            if cleared < u64::from(most) {
                forget(&mut tx, &keys).await?;
            }
            Ok(cleared)
        })?;
        Ok(Some(u32::try_from(cleared).unwrap_or(most)))
    }
}

async fn keys(tx: &mut Tx, sql: &'static str, bound: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
    let rows = tx.rows(tx.sql(sql).bind(bound).bind(limit)).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn clear(tx: &mut Tx, keys: &[i64], most: u32) -> Result<u64, StoreError> {
    let query = tx.built(format!(
        "DELETE FROM conversation_log WHERE (conversation, position) IN (SELECT conversation, position \
         FROM conversation_log WHERE conversation IN {} ORDER BY conversation, position LIMIT $1)",
        batch::list(keys.len(), 1)
    ));
    let query = query.bind(i64::from(most));
    tx.execute(keys.iter().fold(query, |query, key| query.bind(*key))).await
}

/// Takes note that these logs are empty.
async fn forget(tx: &mut Tx, keys: &[i64]) -> Result<(), StoreError> {
    let list = batch::list(keys.len(), 0);
    let query = tx.built(format!("DELETE FROM deleted_conversations WHERE key IN {list}"));
    tx.execute(keys.iter().fold(query, |query, key| query.bind(*key))).await?;
    Ok(())
}
