//! What a batch says of logs, and whether it fits them.

use super::rows::LogRow;
use super::write::{Batch, BatchError};
use crate::db::{Statement, Tx};
use crate::error::StoreError;
use crate::sized::{Sized, padded};
use arena_core::Timestamp;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};

/// Counts the places that logs have reached, but for those of deleted conversations. It reads what is about to be
/// written to, and a table that is mostly empty; the rows of conversations are large, and mostly not at hand.
static REACHED: Sized = Sized::new(
    "SELECT COUNT(*) FROM (VALUES ",
    2,
    ") AS v JOIN conversation_log AS l ON l.conversation = v.column1 AND l.position = v.column2 \
     WHERE NOT EXISTS (SELECT 1 FROM deleted_conversations AS d WHERE d.key = v.column1)",
);

/// Counts the conversations that exist.
static EXIST: Sized =
    Sized::new("SELECT COUNT(*) FROM (VALUES ", 1, ") AS v JOIN conversations AS c ON c.key = v.column1");

/// A batch put in order.
pub(super) struct Ordered<'a> {
    /// By conversation and place: two writers wait for each other in the same order.
    pub(super) log: Vec<&'a LogRow>,
    /// Which places logs have to have reached, by conversation.
    reached: Vec<(i64, i64)>,
    /// Conversations that have to exist, whatever is in their logs.
    exist: Vec<i64>,
}

impl<'a> Ordered<'a> {
    /// Puts it in order. Refuses one whose own entries have a gap.
    pub(super) fn new(batch: &'a Batch) -> Result<Ordered<'a>, BatchError> {
        let mut log: Vec<_> = batch.log.iter().collect();
        log.sort_unstable_by_key(|row| (row.key, row.position));
        let created: BTreeSet<_> = batch.created.iter().map(|row| row.key).collect();
        let named = batch.checkpoints.iter().map(|row| row.key).chain(batch.deleted.iter().copied());
        let mut places: BTreeMap<i64, i64> =
            named.filter(|key| !created.contains(key)).map(|key| (key, 0)).collect();
        for entries in log.chunk_by(|a, b| a.key == b.key) {
            let (key, first) = (entries[0].key, entries[0].position);
            let gapless = entries.iter().zip(first..).all(|(row, position)| row.position == position);
            if !gapless || first < 1 || (first > 1 && created.contains(&key)) {
                let text = format!("the entries of conversation {key} are not numbered without gaps");
                return Err(StoreError::Database(text).into());
            }
            if !created.contains(&key) {
                places.insert(key, first - 1);
            }
        }
        let (reached, any): (Vec<_>, Vec<_>) = places.into_iter().partition(|(_, place)| *place > 0);
        Ok(Ordered { log, reached, exist: any.into_iter().map(|(key, _)| key).collect() })
    }

    /// Checks that the conversations still exist, and that their logs reach up to what is to be added.
    pub(super) async fn check(&self, tx: &mut Tx) -> Result<(), BatchError> {
        for rows in padded(&self.reached) {
            let query = REACHED.of(tx, rows.len());
            let query = rows.iter().fold(query, |query, (key, place)| query.bind(*key).bind(*place));
            expect(tx, query, rows.len()).await?;
        }
        for rows in padded(&self.exist) {
            let query = EXIST.of(tx, rows.len());
            expect(tx, rows.iter().fold(query, |query, key| query.bind(*key)), rows.len()).await?;
        }
        Ok(())
    }

    /// When the last entry of a conversation that the batch adds happened.
    pub(super) fn last_change(&self, key: i64) -> Option<Timestamp> {
        let after = self.log.partition_point(|row| row.key <= key);
        let last = self.log.get(after.checked_sub(1)?)?;
        (last.key == key).then_some(last.at)
    }
}

/// Refuses the batch if the statement does not count so many.
async fn expect(tx: &mut Tx, query: Statement, rows: usize) -> Result<(), BatchError> {
    let found = tx.row(query).await?.map(|row| row.try_get::<i64, _>(0)).transpose();
    let found = found.map_err(StoreError::from)?;
    if found == i64::try_from(rows).ok() { Ok(()) } else { Err(BatchError::Stale) }
}
