//! Conversations: what is written and read, who is refused, what is forgotten.

mod ending;
mod finding;
mod racing;
mod writing;

use crate::support::*;
use arena_core::Timestamp;
use arena_core::conversation::ConversationId;
use arena_store::{AccountRow, Batch, BatchError, ConversationRow, LogRow, Store};

fn id(text: &str) -> ConversationId {
    text.parse().unwrap()
}

/// A conversation with nothing in its log.
fn row(key: i64) -> ConversationRow {
    ConversationRow {
        key,
        id: id(&format!("talk-{key}")),
        owner: None,
        root: None,
        state: format!("{{\"of\":{key}}}"),
        position: 0,
        exhausted: false,
        created_at: Timestamp(1_000),
        due_at: None,
    }
}

fn entry(key: i64, position: i64) -> LogRow {
    LogRow {
        key,
        position,
        at: Timestamp(1_000 + position),
        event: if position == 1 { "created" } else { "message" }.to_owned(),
        message_id: None,
        body: format!("{{\"text\":\"{key}/{position}\"}}"),
    }
}

fn message(key: i64, position: i64, message_id: &str) -> LogRow {
    LogRow { message_id: Some(message_id.to_owned()), ..entry(key, position) }
}

fn account(name: &str, version: i64) -> AccountRow {
    AccountRow { id: name.parse().unwrap(), version, state: format!("{{\"used\":{version}}}") }
}

fn creation(keys: impl IntoIterator<Item = i64> + Clone) -> Batch {
    Batch {
        created: keys.clone().into_iter().map(|key| ConversationRow { position: 1, ..row(key) }).collect(),
        log: keys.into_iter().map(|key| entry(key, 1)).collect(),
        ..Batch::default()
    }
}

fn appending(log: impl IntoIterator<Item = LogRow>) -> Batch {
    Batch { log: log.into_iter().collect(), ..Batch::default() }
}

async fn write(store: &Store, batch: &Batch) {
    store.write_conversations(batch).await.unwrap();
}

async fn refused(store: &Store, batch: &Batch) -> BatchError {
    store.write_conversations(batch).await.unwrap_err()
}

async fn log_of(store: &Store, key: i64) -> Vec<LogRow> {
    let slice = store.conversation_log(&id(&format!("talk-{key}")), 0, 10_000).await.unwrap().unwrap();
    assert_eq!(slice.key, key);
    slice.rows
}

async fn stored(store: &Store, key: i64) -> Option<(ConversationRow, Vec<LogRow>)> {
    store.conversations_with_tails(&[id(&format!("talk-{key}"))]).await.unwrap().pop()
}

/// How many rows a table has, whoever they belong to.
async fn count(db: &Db, table: &str) -> i64 {
    let pool = db.raw().await;
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&pool).await.unwrap();
    pool.close().await;
    count
}
