//! Retention of the activity log: PostgreSQL drops whole days, SQLite deletes rows.

use crate::db::{Dialect, Store, Tx, transact};
use crate::error::StoreError;
use arena_core::Timestamp;
use sqlx::Row;
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
                let today = now.0.div_euclid(DAY_MS);
                for day in today..today + 3 {
                    make_partition(&mut tx, day).await?;
                }
                drop_partitions(&mut tx, horizon.div_euclid(DAY_MS)).await
            }),
        }
    }
}

/// Makes a day's partition, unless it exists. Rows of that day that went to the default partition move over.
async fn make_partition(tx: &mut Tx, day: i64) -> Result<(), StoreError> {
    let exists = "SELECT 1 FROM pg_class WHERE relname = $1";
    if tx.row(tx.sql(exists).bind(format!("activity_day_{day}"))).await?.is_some() {
        return Ok(());
    }
    let (from, to) = (day * DAY_MS, (day + 1) * DAY_MS);
    tx.define(format!(
        "CREATE TABLE activity_day_{day} (LIKE activity INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
         WITH strays AS (DELETE FROM activity_default WHERE at >= {from} AND at < {to} RETURNING *)
         INSERT INTO activity_day_{day} SELECT * FROM strays;
         ALTER TABLE activity ATTACH PARTITION activity_day_{day} FOR VALUES FROM ({from}) TO ({to});"
    ))
    .await
}

/// Drops the partitions of the days before `horizon`, and deletes such rows from the default one.
async fn drop_partitions(tx: &mut Tx, horizon: i64) -> Result<u64, StoreError> {
    let sql = "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relname LIKE 'activity!_day!_%' ESCAPE '!' AND relkind = 'r'";
    let rows = tx.rows(tx.sql(sql)).await?;
    let mut dropped = 0;
    for row in rows {
        let name: String = row.try_get(0)?;
        let day = name.strip_prefix("activity_day_").and_then(|day| day.parse::<i64>().ok());
        if let Some(day) = day.filter(|day| *day < horizon) {
            tx.define(format!("DROP TABLE activity_day_{day}")).await?;
            dropped += 1;
        }
    }
    tx.execute(tx.sql("DELETE FROM activity_default WHERE at < $1").bind(horizon * DAY_MS)).await?;
    Ok(dropped)
}
