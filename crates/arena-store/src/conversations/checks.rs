//! What a batch says of logs, and whether it fits them.

use super::rows::LogRow;
use super::sized::{Sized, parts};
use super::write::{Batch, BatchError};
use crate::db::Tx;
use crate::error::StoreError;
use arena_core::Timestamp;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};

/// Counts the conversations that exist and whose log reaches the place given, where 0 is any.
static REACH: Sized = Sized::new(
    "SELECT COUNT(*) FROM (VALUES ",
    2,
    ") AS v JOIN conversations AS c ON c.key = v.column1 \
     LEFT JOIN conversation_log AS l ON l.conversation = v.column1 AND l.position = v.column2 \
     WHERE v.column2 = 0 OR l.position IS NOT NULL",
);

/// A batch put in order.
pub(super) struct Ordered<'a> {
    /// By conversation and place: two writers wait for each other in the same order.
    pub(super) log: Vec<&'a LogRow>,
    /// Each conversation that has to exist, and which place its log has to have reached.
    reach: Vec<(i64, i64)>,
}

impl<'a> Ordered<'a> {
    /// Puts it in order. Refuses one whose own entries have a gap.
    pub(super) fn new(batch: &'a Batch) -> Result<Ordered<'a>, BatchError> {
        let mut log: Vec<_> = batch.log.iter().collect();
        log.sort_unstable_by_key(|row| (row.key, row.position));
        let created: BTreeSet<_> = batch.created.iter().map(|row| row.key).collect();
        let named = batch.checkpoints.iter().map(|row| row.key).chain(batch.deleted.iter().copied());
        let mut reach: BTreeMap<i64, i64> =
            named.filter(|key| !created.contains(key)).map(|key| (key, 0)).collect();
        for entries in log.chunk_by(|a, b| a.key == b.key) {
            let (key, first) = (entries[0].key, entries[0].position);
            let gapless = entries.iter().zip(first..).all(|(row, position)| row.position == position);
            if !gapless || first < 1 || (first > 1 && created.contains(&key)) {
                let text = format!("the entries of conversation {key} are not numbered without gaps");
                return Err(StoreError::Database(text).into());
            }
            if !created.contains(&key) {
                reach.insert(key, first - 1);
            }
        }
        Ok(Ordered { log, reach: reach.into_iter().collect() })
    }

    /// Checks that the conversations still exist, and that their logs reach up to what is to be added.
    pub(super) async fn check(&self, tx: &mut Tx) -> Result<(), BatchError> {
        for part in parts(&self.reach) {
            let query = REACH.of(tx, part.len());
            let query = part.iter().fold(query, |query, (key, position)| query.bind(*key).bind(*position));
            let found = tx.row(query).await?.map(|row| row.try_get::<i64, _>(0)).transpose();
            if found.map_err(StoreError::from)? != i64::try_from(part.len()).ok() {
                return Err(BatchError::Stale);
            }
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
