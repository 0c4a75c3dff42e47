//! Reading: conversations with what happened since their state was stored, and parts of their logs.

use super::rows::{self, AccountRow, CONVERSATION, ConversationRow, ENTRY, LogRow};
use crate::batch;
use crate::db::{Store, Tx};
use crate::error::StoreError;
use crate::text::storable;
use arena_core::conversation::{AccountId, ConversationId};
use sqlx::Row;
use std::collections::BTreeMap;

/// A part of a conversation's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSlice {
    /// The conversation's key.
    pub key: i64,
    /// The entries, in order.
    pub rows: Vec<LogRow>,
}

impl Store {
    /// Conversations by their ids, each with the entries behind its stored state, all as of one moment. Those that do
    /// not exist are missing.
    pub async fn conversations_with_tails(
        &self,
        ids: &[ConversationId],
    ) -> Result<Vec<(ConversationRow, Vec<LogRow>)>, StoreError> {
        let mut found = Vec::new();
        let mut tx = self.snapshot().await?;
        for chunk in ids.chunks(batch::rows_per_statement(1, 0)) {
            let list = batch::list(chunk.len(), 0);
            let query = tx.built(format!("SELECT {CONVERSATION} FROM conversations WHERE id IN {list}"));
            let query = chunk.iter().fold(query, |query, id| query.bind(id.to_string()));
            let rows = tx.rows(query).await?;
            let rows = rows.iter().map(rows::conversation).collect::<Result<Vec<_>, _>>()?;
            let mut tails = tails(&mut tx, &rows).await?;
            found.extend(rows.into_iter().map(|row| {
                let tail = tails.remove(&row.key).unwrap_or_default();
                (row, tail)
            }));
        }
        tx.commit().await?;
        Ok(found)
    }

    /// Shared budgets by their ids. Those that do not exist are missing.
    pub async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<AccountRow>, StoreError> {
        let mut found = Vec::new();
        let mut tx = self.read().await?;
        for chunk in ids.chunks(batch::rows_per_statement(1, 0)) {
            let list = batch::list(chunk.len(), 0);
            let query = tx.built(format!("SELECT id, version, state FROM accounts WHERE id IN {list}"));
            let query = chunk.iter().fold(query, |query, id| query.bind(id.to_string()));
            for row in tx.rows(query).await? {
                found.push(rows::account(&row)?);
            }
        }
        tx.commit().await?;
        Ok(found)
    }

    /// Messages by the keys of their conversations and the ids that their senders chose. Those that do not exist are
    /// missing.
    pub async fn messages_by_id(&self, wanted: &[(i64, String)]) -> Result<Vec<LogRow>, StoreError> {
        let mut found = Vec::new();
        let mut tx = self.read().await?;
        for chunk in wanted.chunks(batch::rows_per_statement(2, 0)) {
            let query = tx.built(format!(
                "SELECT {ENTRY} FROM (VALUES {}) AS v JOIN conversation_log AS l \
                 ON l.conversation = v.column1 AND l.message_id = v.column2",
                batch::tuples(chunk.len(), 2, 0)
            ));
            let query = chunk.iter().fold(query, |query, (key, id)| query.bind(*key).bind(storable(id)));
            for row in tx.rows(query).await? {
                found.push(rows::entry(&row)?);
            }
        }
        tx.commit().await?;
        Ok(found)
    }

    /// At most `limit` entries behind `after`, oldest first. `None` if there is no such conversation.
    pub async fn conversation_log(
        &self,
        id: &ConversationId,
        after: i64,
        limit: u32,
    ) -> Result<Option<LogSlice>, StoreError> {
        let mut tx = self.snapshot().await?;
        let row = tx.row(tx.sql("SELECT key FROM conversations WHERE id = $1").bind(id.to_string())).await?;
        let Some(row) = row else { return Ok(None) };
        let key: i64 = row.try_get(0)?;
        let query = tx.built(format!(
            "SELECT {ENTRY} FROM conversation_log AS l WHERE l.conversation = $1 AND l.position > $2 \
             ORDER BY l.position LIMIT $3"
        ));
        let rows = tx.rows(query.bind(key).bind(after).bind(i64::from(limit))).await?;
        tx.commit().await?;
        Ok(Some(LogSlice { key, rows: rows.iter().map(rows::entry).collect::<Result<_, _>>()? }))
    }

    /// The last `limit` messages before a place, the system's too, oldest first.
    pub async fn last_messages(&self, key: i64, before: i64, limit: u32) -> Result<Vec<LogRow>, StoreError> {
        let mut tx = self.read().await?;
        let query = tx.built(format!(
            "SELECT {ENTRY} FROM conversation_log AS l WHERE l.conversation = $1 AND l.position < $2 \
             AND l.event IN ('message', 'system') ORDER BY l.position DESC LIMIT $3"
        ));
        let rows = tx.rows(query.bind(key).bind(before).bind(i64::from(limit))).await?;
        tx.commit().await?;
        rows.iter().rev().map(rows::entry).collect()
    }
}

/// What happened since the states of these conversations were stored.
async fn tails(tx: &mut Tx, rows: &[ConversationRow]) -> Result<BTreeMap<i64, Vec<LogRow>>, StoreError> {
    let mut tails: BTreeMap<i64, Vec<LogRow>> = BTreeMap::new();
    if rows.is_empty() {
        return Ok(tails);
    }
    let query = tx.built(format!(
        "SELECT {ENTRY} FROM (VALUES {}) AS v JOIN conversation_log AS l \
         ON l.conversation = v.column1 AND l.position > v.column2 ORDER BY l.conversation, l.position",
        batch::tuples(rows.len(), 2, 0)
    ));
    let query = rows.iter().fold(query, |query, row| query.bind(row.key).bind(row.position));
    for row in tx.rows(query).await? {
        let entry = rows::entry(&row)?;
        tails.entry(entry.key).or_default().push(entry);
    }
    Ok(tails)
}
