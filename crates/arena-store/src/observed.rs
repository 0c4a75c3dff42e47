//! What a sync saw: the state of bots, fenced by the epoch of their assignment.

use crate::batch;
use crate::channels::parsed;
use crate::db::{Dialect, Store, Tx, transact};
use crate::error::StoreError;
use crate::now;
use crate::text::storable;
use arena_core::bot::BotState;
use arena_core::{BotId, Timestamp, WorldId};
use std::collections::BTreeSet;

/// A bot's new state. Refused if its assignment changed since `epoch` was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The bot.
    pub bot: BotId,
    /// The epoch of the assignment that was read.
    pub epoch: i64,
    /// What it is now.
    pub state: BotState,
    /// The world it is, or may be, a resident of.
    pub world: Option<WorldId>,
}

impl Store {
    /// Records observations in one transaction. Returns the bots whose assignment is still the one observed; what
    /// was seen of the others is dropped.
    pub async fn record(&self, observations: &[Observation]) -> Result<BTreeSet<BotId>, StoreError> {
        if observations.is_empty() {
            return Ok(BTreeSet::new());
        }
        transact!(self.write(), |tx| {
            let mut recorded = BTreeSet::new();
            for chunk in observations.chunks(batch::rows_per_statement(7, 1)) {
                recorded.extend(record_chunk(&mut tx, chunk, now()).await?);
            }
            Ok(recorded)
        })
    }

    /// Forgets that these bots may be residents of `world`: the engine has removed them. One that was assigned there again
    /// meanwhile, and is on its way in or live, is there anew.
    pub async fn forget_residents(&self, world: &WorldId, bots: &[BotId]) -> Result<(), StoreError> {
        if bots.is_empty() {
            return Ok(());
        }
        transact!(self.write(), |tx| {
            for chunk in bots.chunks(batch::rows_per_statement(1, 1)) {
                let list = batch::list(chunk.len(), 1);
                let query =
                    tx.built(format!(
                        "UPDATE bots SET world = NULL WHERE world = $1 AND state NOT IN ('live', 'deploying') AND id IN {list}"
                    ));
                let query = query.bind(world.to_string());
                let query = chunk.iter().fold(query, |query, bot| query.bind(bot.to_string()));
                tx.execute(query).await?;
            }
            Ok(())
        })
    }
}

async fn record_chunk(tx: &mut Tx, chunk: &[Observation], now: Timestamp) -> Result<Vec<BotId>, StoreError> {
    lock(tx, chunk).await?;
    let mut query = tx.built(format!(
        "UPDATE bots SET state = v.column3, attempt = v.column4, retry_at = v.column5, reason = v.column6, \
         world = v.column7, changed_at = CASE WHEN state = v.column3 THEN changed_at ELSE $1 END \
         FROM (VALUES {}) AS v WHERE bots.id = v.column1 AND bots.epoch = v.column2 RETURNING bots.id",
        batch::tuples(chunk.len(), 7, 1)
    ));
    query = query.bind(now.0);
    for seen in chunk {
        let (attempt, retry_at, reason) = match &seen.state {
            BotState::Backoff { until, attempt, reason } => (*attempt, Some(until.0), Some(storable(reason))),
            BotState::Failed { reason } => (0, None, Some(storable(reason))),
            _ => (0, None, None),
        };
        query = query
            .bind(seen.bot.to_string())
            .bind(seen.epoch)
            .bind(seen.state.as_str())
            .bind(i64::from(attempt))
            .bind(retry_at)
            .bind(reason)
            .bind(seen.world.as_ref().map(WorldId::to_string));
    }
    tx.rows(query).await?.iter().map(|row| parsed(row, 0)).collect()
}

/// Locks the rows in the order of their ids. The update alone locks them in the order of its plan, and two that
/// record the same bots at once would wait for each other. On SQLite the writer is alone anyway.
async fn lock(tx: &mut Tx, chunk: &[Observation]) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Sqlite || chunk.len() < 2 {
        return Ok(());
    }
    let list = batch::list(chunk.len(), 0);
    let query = tx.built(format!("SELECT 1 FROM bots WHERE id IN {list} ORDER BY id FOR NO KEY UPDATE"));
    let query = chunk.iter().fold(query, |query, seen| query.bind(seen.bot.to_string()));
    tx.execute(query).await?;
    Ok(())
}
