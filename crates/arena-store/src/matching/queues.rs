//! Queues and their rules.

use super::locks::hold_tickets;
use super::read::unreadable;
use super::rows::json;
use super::tickets::{end_tickets, ids};
use crate::channels::parsed;
use crate::db::{Store, Tx, transact};
use crate::error::StoreError;
use crate::now;
use crate::sized::{Sized, padded};
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
    /// tickets that have ended, `None` if there is no such queue. Tickets end first, [`AT_ONCE`] in a transaction, and the
    /// queue goes with the last of them: after a crash in between it is there still, and is deleted by asking again.
    pub async fn delete_match_queue(&self, name: &QueueName) -> Result<Option<Vec<TicketId>>, StoreError> {
        if self.match_queue_version(name).await?.is_none() {
            return Ok(None);
        }
        let mut ended = Vec::new();
        loop {
            let (part, all) =
                transact!(self.write_by_index(), |tx| { end_some(&mut tx, name, AT_ONCE).await })?;
            ended.extend(part);
            if all {
                break;
            }
        }
        let last = transact!(self.write_by_index(), |tx| {
            let query = tx.sql("DELETE FROM match_queues WHERE name = $1").bind(name.to_string());
            if tx.execute(query).await? == 0 {
                return Ok(None);
            }
            // Whoever makes tickets, or lets one wait again, holds the queue: nobody adds any now. Those who came
            // meanwhile are few.
            Ok(Some(end_some(&mut tx, name, u32::MAX).await?.0))
        })?;
        let gone = last.is_some();
        ended.extend(last.unwrap_or_default());
        // Another may have deleted it meanwhile: those that have ended here are told of here.
        Ok((gone || !ended.is_empty()).then_some(ended))
    }

    async fn match_queue_version(&self, name: &QueueName) -> Result<Option<i64>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let row =
            tx.row(tx.sql("SELECT version FROM match_queues WHERE name = $1").bind(name.to_string())).await?;
        tx.commit().await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

/// Tickets of a queue that is deleted that end in one transaction: others write between them.
const AT_ONCE: u32 = 500;

static STILL: Sized = Sized::new("SELECT id FROM tickets WHERE state = 'waiting' AND id IN (VALUES ", 1, ")");

/// Ends some of those who wait in a queue. Returns them, and whether these were all.
async fn end_some(tx: &mut Tx, name: &QueueName, limit: u32) -> Result<(Vec<TicketId>, bool), StoreError> {
    let sql = "SELECT id FROM tickets WHERE queue = $1 AND state = 'waiting' AND state <> 'over' LIMIT $2";
    let found = ids(&tx.rows(tx.sql(sql).bind(name.to_string()).bind(i64::from(limit))).await?)?;
    hold_tickets(tx, &found).await?;
    // Some may have been matched until they were held.
    let mut waiting = Vec::new();
    for part in padded(&found) {
        let query = part.iter().fold(STILL.of(tx, part.len()), |query, id| query.bind(id.to_string()));
        waiting.extend(ids(&tx.rows(query).await?)?);
    }
    end_tickets(tx, &waiting, TicketEnd::QueueGone, now()).await?;
    Ok((waiting, found.len() < limit as usize))
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
