//! Letting go of what has been over for long.

use super::locks::{hold_matches, hold_tickets};
use super::sweep::ids as match_ids;
use super::tickets::ids as ticket_ids;
use crate::db::{Dialect, Statement, Store, Tx, transact};
use crate::error::StoreError;
use crate::sized::{Sized, padded};
use arena_core::Timestamp;
use sqlx::Row;

/// For how long reports are kept at least, in milliseconds: 90 days, so that operators see who is reported again and again.
const REPORTS_MS: i64 = 90 * 86_400_000;

/// For how long a ticket is kept at least that was cancelled before there was any match, in milliseconds: an hour, for
/// that long it is counted among those who gave up.
const CANCELLED_MS: i64 = 3_600_000;

static MATCHES: Sized = Sized::new("DELETE FROM matches WHERE id IN (VALUES ", 1, ")");

static TICKETS: Sized = Sized::new("DELETE FROM tickets WHERE state = 'over' AND id IN (VALUES ", 1, ")");

static PARTINGS: Sized =
    Sized::new("DELETE FROM match_partings WHERE (low, high, until) IN (VALUES ", 3, ")");

static HOLD_PARTINGS: Sized = Sized::new(
    "SELECT 1 FROM match_partings WHERE (low, high, until) IN (VALUES ",
    3,
    ") ORDER BY low, high FOR UPDATE",
);

impl Store {
    /// Drops tickets, and settled matches, that have been over since before then, and partings that have ended; tickets
    /// that were cancelled before there was any match after an hour; reports after 90 days, or then, if that is earlier.
    /// At most `limit` of each. Returns how many rows went.
    pub async fn forget_matches(
        &self,
        before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let limit = i64::from(limit);
        transact!(self.write_by_index(), |tx| {
            let gone = forget_matches(&mut tx, before, limit).await?;
            let gone = gone + forget_tickets(&mut tx, before, limit).await?;
            let gone = gone + forget_cancelled(&mut tx, now.0.saturating_sub(CANCELLED_MS), limit).await?;
            let gone =
                gone + forget_reports(&mut tx, before.0.min(now.0.saturating_sub(REPORTS_MS)), limit).await?;
            Ok(gone + forget_partings(&mut tx, now, limit).await?)
        })
    }
}

async fn forget_matches(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let sql = "SELECT id FROM matches WHERE state = 'over' AND changed_at < $1 AND settled = 1 \
               ORDER BY changed_at LIMIT $2";
    let ids = match_ids(&tx.rows(tx.sql(sql).bind(before.0).bind(limit)).await?)?;
    hold_matches(tx, &ids).await?;
    delete(tx, &MATCHES, &ids).await
}

async fn forget_tickets(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let sql = "SELECT id FROM tickets WHERE state = 'over' AND changed_at < $1 ORDER BY changed_at LIMIT $2";
    let ids = ticket_ids(&tx.rows(tx.sql(sql).bind(before.0).bind(limit)).await?)?;
    hold_tickets(tx, &ids).await?;
    delete(tx, &TICKETS, &ids).await
}

/// Whoever joins and goes again, many times a second, leaves nothing behind for days.
async fn forget_cancelled(tx: &mut Tx, before: i64, limit: i64) -> Result<u64, StoreError> {
    let sql = "SELECT id FROM tickets WHERE state = 'over' AND match_id IS NULL AND ended = 'cancelled' \
               AND changed_at < $1 ORDER BY changed_at LIMIT $2";
    let ids = ticket_ids(&tx.rows(tx.sql(sql).bind(before).bind(limit)).await?)?;
    hold_tickets(tx, &ids).await?;
    delete(tx, &TICKETS, &ids).await
}

async fn forget_reports(tx: &mut Tx, before: i64, limit: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM match_reports WHERE id IN (SELECT id FROM match_reports WHERE created_at < $1 \
               ORDER BY created_at, id LIMIT $2)";
    tx.execute(tx.sql(sql).bind(before).bind(limit)).await
}

async fn delete<T: Copy + ToString>(
    tx: &mut Tx,
    statement: &'static Sized,
    ids: &[T],
) -> Result<u64, StoreError> {
    let mut gone = 0;
    for part in padded(ids) {
        let query = statement.of(tx, part.len());
        gone += tx.execute(part.iter().fold(query, |query, id| query.bind(id.to_string()))).await?;
    }
    Ok(gone)
}

/// A parting that is renewed meanwhile has another end, and stays.
async fn forget_partings(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let sql = "SELECT low, high, until FROM match_partings WHERE until <= $1 ORDER BY until LIMIT $2";
    let rows = tx.rows(tx.sql(sql).bind(now.0).bind(limit)).await?;
    let mut pairs = Vec::new();
    for row in &rows {
        pairs.push((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?, row.try_get::<i64, _>(2)?));
    }
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs.iter().collect();
    let mut gone = 0;
    for part in padded(&pairs) {
        if tx.dialect() == Dialect::Postgres {
            tx.execute(bind(HOLD_PARTINGS.of(tx, part.len()), &part)).await?;
        }
        gone += tx.execute(bind(PARTINGS.of(tx, part.len()), &part)).await?;
    }
    Ok(gone)
}

fn bind(query: Statement, pairs: &[&(String, String, i64)]) -> Statement {
    pairs
        .iter()
        .fold(query, |query, (low, high, until)| query.bind(low.clone()).bind(high.clone()).bind(*until))
}
