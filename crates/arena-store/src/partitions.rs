//! Retention of the activity log: PostgreSQL drops whole days, SQLite deletes rows.

use crate::db::{Dialect, Store, Tx, transact};
use crate::error::StoreError;
use arena_core::Timestamp;
use sqlx::Row;
use std::collections::BTreeSet;
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;

impl Store {
    /// Makes the partitions of today and the next two days, and drops what is older than `keep`. Idempotent; run it
    /// at start and every few hours. Returns how many partitions were dropped or rows deleted.
    pub async fn keep_activity(&self, now: Timestamp, keep: Duration) -> Result<u64, StoreError> {
        let horizon = now.0 - i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        match self.dialect() {
            Dialect::Sqlite => transact!(self.write(), |tx| {
                tx.execute(tx.sql("DELETE FROM activity WHERE at < $1").bind(horizon)).await
            }),
            Dialect::Postgres => transact!(self.write_schema(), |tx| {
                keep_partitions(&mut tx, now.0.div_euclid(DAY_MS), horizon.div_euclid(DAY_MS)).await
            }),
        }
    }
}

/// Makes the partitions of `today` and the next two days, and drops those of the days before `horizon`.
async fn keep_partitions(tx: &mut Tx, today: i64, horizon: i64) -> Result<u64, StoreError> {
    let days = partition_days(tx).await?;
    let missing: Vec<i64> = (today..today + 3).filter(|day| !days.contains(day)).collect();
    let old: Vec<i64> = days.into_iter().filter(|day| *day < horizon).collect();
    if !missing.is_empty() || !old.is_empty() {
        // Whoever logs or reads locks the whole log before a part of it. In another order we would wait for each other.
        tx.script("LOCK TABLE activity IN ACCESS EXCLUSIVE MODE").await?;
    }
    for day in missing {
        make_partition(tx, day).await?;
    }
    for day in &old {
        tx.define(format!("DROP TABLE activity_day_{day}")).await?;
    }
    tx.execute(tx.sql("DELETE FROM activity_default WHERE at < $1").bind(horizon.saturating_mul(DAY_MS)))
        .await?;
    Ok(u64::try_from(old.len()).unwrap_or(u64::MAX))
}

/// The days that have a partition.
async fn partition_days(tx: &mut Tx) -> Result<BTreeSet<i64>, StoreError> {
    let sql = "SELECT CAST(c.relname AS TEXT) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
               WHERE i.inhparent = CAST('activity' AS REGCLASS)";
    let mut days = BTreeSet::new();
    for row in tx.rows(tx.sql(sql)).await? {
        let name: &str = row.try_get(0)?;
        days.extend(name.strip_prefix("activity_day_").and_then(|day| day.parse::<i64>().ok()));
    }
    Ok(days)
}

/// Makes a day's partition. Rows of that day that went to the default partition move over.
async fn make_partition(tx: &mut Tx, day: i64) -> Result<(), StoreError> {
    let (from, to) = (day * DAY_MS, (day + 1) * DAY_MS);
    tx.define(format!(
        "CREATE TABLE activity_day_{day} (LIKE activity INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
         WITH strays AS (DELETE FROM activity_default WHERE at >= {from} AND at < {to} RETURNING *)
         INSERT INTO activity_day_{day} SELECT * FROM strays;
         ALTER TABLE activity ATTACH PARTITION activity_day_{day} FOR VALUES FROM ({from}) TO ({to});"
    ))
    .await
}
