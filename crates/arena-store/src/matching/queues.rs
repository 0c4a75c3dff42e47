//! Queues and their rules.

use super::read::unreadable;
use super::rows::json;
use super::tickets::{end_tickets, ids};
use crate::channels::parsed;
use crate::db::{Dialect, Store, Tx, transact};
use crate::error::StoreError;
use crate::now;
use arena_core::Timestamp;
use arena_core::matching::{QueueName, Rules, TicketEnd, TicketId};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::sync::Arc;

/// A queue.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueRow {
    /// Its name.
    pub name: QueueName,
    /// Its ruleset.
    pub rules: Arc<Rules>,
    /// Rises with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its rules changed.
    pub changed_at: Timestamp,
}

impl Store {
    /// All queues, by name, without those whose rules cannot be read.
    pub async fn match_queues(&self) -> Result<Vec<QueueRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let sql = "SELECT name, rules, version, created_at, changed_at FROM match_queues ORDER BY name";
        let rows = tx.rows(tx.sql(sql)).await?;
        tx.commit().await?;
        let legible = |row: &AnyRow| match queue(row) {
            Err(error @ StoreError::Corrupt(_)) => {
                unreadable("queue", &row.try_get::<&str, _>(0).unwrap_or_default(), &error);
                None
            }
            outcome => Some(outcome),
        };
        rows.iter().filter_map(legible).collect()
    }

    /// Queues that tickets are of which are not over, also those that are deleted, by name.
    pub async fn queues_in_use(&self) -> Result<Vec<QueueName>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        // From name to name in the index, however many tickets each has.
        let sql = "WITH RECURSIVE q (name) AS (SELECT MIN(queue) FROM tickets WHERE state <> 'over' UNION ALL \
                   SELECT (SELECT MIN(t.queue) FROM tickets AS t WHERE t.state <> 'over' AND t.queue > q.name) \
                   FROM q WHERE q.name IS NOT NULL) SELECT name FROM q WHERE name IS NOT NULL";
        let rows = tx.rows(tx.sql(sql)).await?;
        tx.commit().await?;
        rows.iter().map(|row| parsed(row, 0)).collect()
    }

    /// A queue.
    pub async fn match_queue(&self, name: &QueueName) -> Result<Option<QueueRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let found = find(&mut tx, name).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Makes a queue, or gives it other rules; with `only_new`, one that is there stays as it is. Tickets that wait stay.
    /// The version does not rise where the rules are the ones that it has.
    pub async fn put_match_queue(
        &self,
        name: &QueueName,
        rules: &Rules,
        only_new: bool,
    ) -> Result<QueueRow, StoreError> {
        let rules = serde_json::to_string(rules).map_err(StoreError::corrupt)?;
        let sql = if only_new {
            "INSERT INTO match_queues (name, rules, version, created_at, changed_at) VALUES ($1, $2, 1, $3, $3) \
             ON CONFLICT (name) DO NOTHING"
        } else {
            "INSERT INTO match_queues (name, rules, version, created_at, changed_at) VALUES ($1, $2, 1, $3, $3) \
             ON CONFLICT (name) DO UPDATE SET rules = excluded.rules, version = match_queues.version + 1, \
             changed_at = excluded.changed_at WHERE match_queues.rules <> excluded.rules"
        };
        transact!(self.write_by_index(), |tx| {
            tx.execute(tx.sql(sql).bind(name.to_string()).bind(rules.clone()).bind(now().0)).await?;
            // Deleted by another in this moment: make it anew.
            find(&mut tx, name).await?.ok_or(StoreError::Contended)
        })
    }

    /// Deletes a queue; its waiting tickets end as [`TicketEnd::QueueGone`]. Matches that are made go on. Returns the
    /// tickets that have ended, `None` if there is no such queue.
    pub async fn delete_match_queue(&self, name: &QueueName) -> Result<Option<Vec<TicketId>>, StoreError> {
        transact!(self.write_by_index(), |tx| {
            let query = tx.sql("DELETE FROM match_queues WHERE name = $1").bind(name.to_string());
            if tx.execute(query).await? == 0 {
                return Ok(None);
            }
            // Whoever makes tickets, or lets one wait again, holds the queue: nobody adds any now.
            let sql = match tx.dialect() {
                Dialect::Sqlite => {
                    "SELECT id FROM tickets WHERE queue = $1 AND state = 'waiting' AND state <> 'over'"
                }
                Dialect::Postgres => {
                    "SELECT id FROM tickets WHERE queue = $1 AND state = 'waiting' AND state <> 'over' \
                     ORDER BY id FOR NO KEY UPDATE"
                }
            };
            let waiting = ids(&tx.rows(tx.sql(sql).bind(name.to_string())).await?)?;
            end_tickets(&mut tx, &waiting, TicketEnd::QueueGone, now()).await?;
            Ok(Some(waiting))
        })
    }
}

async fn find(tx: &mut Tx, name: &QueueName) -> Result<Option<QueueRow>, StoreError> {
    let sql = "SELECT name, rules, version, created_at, changed_at FROM match_queues WHERE name = $1";
    tx.row(tx.sql(sql).bind(name.to_string())).await?.as_ref().map(queue).transpose()
}

fn queue(row: &AnyRow) -> Result<QueueRow, StoreError> {
    Ok(QueueRow {
        name: parsed(row, 0)?,
        rules: Arc::new(json(row.try_get(1)?)?),
        version: row.try_get(2)?,
        created_at: Timestamp(row.try_get(3)?),
        changed_at: Timestamp(row.try_get(4)?),
    })
}
