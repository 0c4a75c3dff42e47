//! The first outcome of each idempotent request.

use crate::db::{Store, transact};
use crate::error::StoreError;
use crate::text::storable;
use arena_core::Timestamp;
use sqlx::Row;
use std::time::Duration;

/// An answer that was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReply {
    /// HTTP status.
    pub status: u16,
    /// Media type.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is now ours to finish or abandon.
    Fresh,
    /// Another request with it is running.
    InProgress,
    /// It was used for something else.
    Mismatch,
    /// It was answered.
    Replay(StoredReply),
}

/// After this long, a request that neither finished nor was abandoned died with its process.
const STALE_AFTER: Duration = Duration::from_secs(120);

impl Store {
    /// Claims a key for a request of this fingerprint.
    pub async fn begin_reply(
        &self,
        key: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        let stale = now.0 - i64::try_from(STALE_AFTER.as_millis()).unwrap_or(i64::MAX);
        let claimed = transact!(self.write(), |tx| {
            let delete = tx.sql("DELETE FROM replies WHERE key = $1 AND status IS NULL AND created_at < $2");
            tx.execute(delete.bind(storable(key)).bind(stale)).await?;
            let sql = "INSERT INTO replies (key, fingerprint, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
            tx.execute(tx.sql(sql).bind(storable(key)).bind(storable(fingerprint)).bind(now.0)).await
        })?;
        if claimed > 0 { Ok(Begun::Fresh) } else { self.known_reply(key, fingerprint).await }
    }

    async fn known_reply(&self, key: &str, fingerprint: &str) -> Result<Begun, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT fingerprint, status, content_type, body FROM replies WHERE key = $1";
        let row = tx.row(tx.sql(sql).bind(storable(key))).await?;
        tx.commit().await?;
        // Abandoned between the two transactions: the caller may try again.
        let Some(row) = row else { return Ok(Begun::InProgress) };
        if row.try_get::<&str, _>(0)? != storable(fingerprint) {
            return Ok(Begun::Mismatch);
        }
        let Some(status) = row.try_get::<Option<i64>, _>(1)? else { return Ok(Begun::InProgress) };
        Ok(Begun::Replay(StoredReply {
            status: u16::try_from(status).map_err(StoreError::corrupt)?,
            content_type: row.try_get::<Option<String>, _>(2)?.unwrap_or_default(),
            body: row.try_get::<Option<Vec<u8>>, _>(3)?.unwrap_or_default(),
        }))
    }

    /// Stores the outcome of a request whose key was claimed.
    pub async fn finish_reply(&self, key: &str, reply: &StoredReply) -> Result<(), StoreError> {
        transact!(self.write(), |tx| {
            let sql = "UPDATE replies SET status = $1, content_type = $2, body = $3 WHERE key = $4";
            let query = tx
                .sql(sql)
                .bind(i64::from(reply.status))
                .bind(storable(&reply.content_type))
                .bind(reply.body.clone())
                .bind(storable(key));
            tx.execute(query).await?;
            Ok(())
        })
    }

    /// Gives a claimed key back: the request had no outcome worth keeping.
    pub async fn abandon_reply(&self, key: &str) -> Result<(), StoreError> {
        transact!(self.write(), |tx| {
            let sql = "DELETE FROM replies WHERE key = $1 AND status IS NULL";
            tx.execute(tx.sql(sql).bind(storable(key))).await?;
            Ok(())
        })
    }

    /// Forgets outcomes older than `keep`.
    pub async fn expire_replies(&self, now: Timestamp, keep: Duration) -> Result<u64, StoreError> {
        let horizon = now.0 - i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        transact!(self.write(), |tx| {
            tx.execute(tx.sql("DELETE FROM replies WHERE created_at < $1").bind(horizon)).await
        })
    }
}
