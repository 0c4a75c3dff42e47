//! What transactions hold while they decide. On SQLite the writer is alone anyway; on PostgreSQL rows are locked, and
//! always in the order that the module's head says, so that nobody waits for one who waits for him.

use super::read;
use super::rows::MatchRow;
use crate::db::{Dialect, Tx};
use crate::error::StoreError;
use crate::sized::{Sized, padded};
use arena_core::matching::{MatchId, QueueName, TicketId};

static TICKETS: Sized =
    Sized::new("SELECT 1 FROM tickets WHERE id IN (VALUES ", 1, ") ORDER BY id FOR NO KEY UPDATE");

static MATCHES: Sized =
    Sized::new("SELECT 1 FROM matches WHERE id IN (VALUES ", 1, ") ORDER BY id FOR NO KEY UPDATE");

/// Holds a match as it is now.
pub(super) async fn hold_match(tx: &mut Tx, id: MatchId) -> Result<Option<MatchRow>, StoreError> {
    hold_matches(tx, &[id]).await?;
    Ok(read::matches(tx, &[id]).await?.pop())
}

/// Holds matches as they are now.
pub(super) async fn hold_matches(tx: &mut Tx, ids: &[MatchId]) -> Result<(), StoreError> {
    hold(tx, &MATCHES, ids).await
}

/// Holds tickets as they are now.
pub(super) async fn hold_tickets(tx: &mut Tx, ids: &[TicketId]) -> Result<(), StoreError> {
    hold(tx, &TICKETS, ids).await
}

/// Sees to it that a queue, if it is there, is not deleted before the end of the transaction.
pub(super) async fn hold_queue(tx: &mut Tx, name: &QueueName) -> Result<bool, StoreError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "SELECT 1 FROM match_queues WHERE name = $1",
        Dialect::Postgres => "SELECT 1 FROM match_queues WHERE name = $1 FOR KEY SHARE",
    };
    let query = tx.sql(sql).bind(name.to_string());
    Ok(tx.row(query).await?.is_some())
}

async fn hold<T: Ord + Copy + ToString>(
    tx: &mut Tx,
    statement: &'static Sized,
    ids: &[T],
) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    for part in padded(&ids) {
        let query = statement.of(tx, part.len());
        tx.execute(part.iter().fold(query, |query, id| query.bind(id.to_string()))).await?;
    }
    Ok(())
}
