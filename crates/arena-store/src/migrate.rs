//! Forward-only migrations, applied in one transaction under a lock.

use crate::db::{Dialect, Store};
use crate::error::StoreError;
use crate::now;
use sqlx::Row;
use std::collections::BTreeMap;

/// A change of the schema; the two texts are one and the same unless the dialects differ.
struct Migration {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($name:literal) => {
        Migration {
            name: $name,
            sqlite: include_str!(concat!("../migrations/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/", $name, ".sql")),
        }
    };
    ($name:literal, by dialect) => {
        Migration {
            name: $name,
            sqlite: include_str!(concat!("../migrations/", $name, ".sqlite.sql")),
            postgres: include_str!(concat!("../migrations/", $name, ".postgres.sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!("0001_channels"),
    migration!("0002_bots"),
    migration!("0003_seat_count", by dialect),
    migration!("0004_placements"),
    migration!("0005_positions"),
    migration!("0006_activity", by dialect),
    migration!("0007_replies"),
    migration!("0008_byte_order", by dialect),
    migration!("0009_players", by dialect),
    migration!("0010_player_seats", by dialect),
    migration!("0011_player_users"),
    migration!("0012_conversations", by dialect),
    migration!("0013_conversation_log", by dialect),
    migration!("0014_accounts", by dialect),
    migration!("0015_deleted_conversations"),
    migration!("0016_matchmaking", by dialect),
];

/// Applies what is missing. All or nothing: an error leaves the schema as it was.
pub(crate) async fn run(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut tx = store.write_schema().await?;
    tx.script(
        "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, text_hash BIGINT NOT NULL, applied_at BIGINT NOT NULL)",
    )
    .await?;
    let rows = tx.rows(tx.sql("SELECT name, text_hash FROM migrations")).await?;
    let mut applied = BTreeMap::new();
    for row in rows {
        applied.insert(row.try_get::<String, _>(0)?, row.try_get::<i64, _>(1)?);
    }
    let mut done = Vec::new();
    for migration in MIGRATIONS {
        let text = match store.dialect() {
            Dialect::Sqlite => migration.sqlite,
            Dialect::Postgres => migration.postgres,
        };
        match applied.remove(migration.name) {
            Some(known) if known == text_hash(text) => continue,
            Some(_) => {
                let name = migration.name;
                let text = format!(
                    "migration {name} was changed after it was applied; restore it and add a new one"
                );
                return Err(StoreError::Unusable(text));
            }
            None => {}
        }
        tx.script(text).await?;
        let insert = "INSERT INTO migrations (name, text_hash, applied_at) VALUES ($1, $2, $3)";
        tx.execute(tx.sql(insert).bind(migration.name).bind(text_hash(text)).bind(now().0)).await?;
        done.push(migration.name.to_owned());
    }
    if let Some(newer) = applied.keys().next() {
        let text =
            format!("the database was migrated by a newer version (it knows {newer}); upgrade this one");
        return Err(StoreError::Unusable(text));
    }
    tx.commit().await?;
    Ok(done)
}

/// FNV-1a (64 bit) of a migration's text without its white space: enough to notice an edit.
fn text_hash(text: &str) -> i64 {
    let words = text.split_whitespace().flat_map(str::bytes);
    let hash = words.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::from_ne_bytes(hash.to_ne_bytes())
}
