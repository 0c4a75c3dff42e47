//! Writing: everything that happened in a moment, in all conversations, in one transaction.

use super::checks::Ordered;
use super::rows::{AccountRow, ConversationRow, LogRow};
use crate::activity::{self, ActivityDraft};
use crate::batch;
use crate::db::{Statement, Store, Tx};
use crate::error::StoreError;
use crate::now;
use crate::sized::{Sized, parts};
use crate::text::storable;
use arena_core::conversation::ConversationId;
use sqlx::Row;
use std::collections::BTreeMap;

/// What is written together: all of it or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Conversations that are new. Their log begins at 1.
    pub created: Vec<ConversationRow>,
    /// What is added to logs, right behind what is in them.
    pub log: Vec<LogRow>,
    /// What logs add up to by now. One that is older than what is stored changes nothing.
    pub checkpoints: Vec<ConversationRow>,
    /// Shared budgets as they are now, each once, with the version that was read; 0 for those that are new.
    pub accounts: Vec<AccountRow>,
    /// The keys of conversations to be deleted. Their logs are cleared by [`Store::clear_deleted`].
    pub deleted: Vec<i64>,
    /// What the activity log says of it.
    pub activity: Vec<ActivityDraft>,
}

/// Why nothing of a batch was written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BatchError {
    /// Another writer was faster: a log has grown, a shared budget has changed, or a conversation is gone. Read again
    /// what it is about, and decide anew.
    #[error("another writer has changed what this is based on")]
    Stale,
    /// Another conversation has this id.
    #[error("a conversation `{0}` exists already")]
    IdTaken(ConversationId),
    /// A message of the same id is in its conversation's log already, or twice in the batch. One that stands in the
    /// very place where this one was to go may be called [`BatchError::Stale`] as well.
    #[error("a message of the same id is in the log already")]
    Repeated,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> BatchError {
        match error {
            // The index's name on PostgreSQL, its columns on SQLite.
            StoreError::Taken(what) if what.contains("message_id") => BatchError::Repeated,
            StoreError::Taken(_) => BatchError::Stale,
            other => BatchError::Store(other),
        }
    }
}

/// Times a batch is tried when other writers get in its way, so that contention ends in an error and not in a loop.
const TRIES: u32 = 5;

static CREATE: Sized = Sized::new(
    "INSERT INTO conversations \
     (key, id, owner, root, state, position, exhausted, created_at, changed_at, due_at) VALUES ",
    10,
    " ON CONFLICT (id) DO NOTHING",
);

static APPEND: Sized = Sized::new(
    "INSERT INTO conversation_log (conversation, position, at, event, message_id, body) VALUES ",
    6,
    "",
);

/// Unlike an UPDATE from VALUES it takes the rows in their order, whatever the planner thinks. That there are such
/// rows has been checked, so it never inserts any.
static CHECKPOINT: Sized = Sized::new(
    "INSERT INTO conversations \
     (key, id, owner, root, state, position, exhausted, created_at, changed_at, due_at) VALUES ",
    10,
    " ON CONFLICT (key) DO UPDATE SET state = excluded.state, position = excluded.position, \
     exhausted = excluded.exhausted, due_at = excluded.due_at, changed_at = CASE WHEN \
     excluded.changed_at > conversations.changed_at THEN excluded.changed_at ELSE conversations.changed_at END \
     WHERE excluded.position >= conversations.position",
);

/// Nobody deletes budgets: it inserts only those that are new.
static CHARGE: Sized = Sized::new(
    "INSERT INTO accounts (id, version, state) VALUES ",
    3,
    " ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state \
     WHERE accounts.version = excluded.version - 1",
);

impl Store {
    /// Writes a batch in one transaction.
    pub async fn write_conversations(&self, batch: &Batch) -> Result<(), BatchError> {
        let ordered = Ordered::new(batch)?;
        for _ in 1..TRIES {
            match self.try_write(batch, &ordered).await {
                Err(BatchError::Store(StoreError::Contended)) => {}
                outcome => return outcome,
            }
        }
        self.try_write(batch, &ordered).await
    }

    /// Two writers meet the tables in this order, and the rows of each in one order too: neither waits for the other
    /// while that one waits for it.
    async fn try_write(&self, batch: &Batch, ordered: &Ordered<'_>) -> Result<(), BatchError> {
        let mut tx = self.write_conversation_rows(!batch.deleted.is_empty()).await?;
        ordered.check(&mut tx).await?;
        create(&mut tx, batch.created.iter().collect()).await?;
        append(&mut tx, ordered.log.clone()).await?;
        checkpoint(&mut tx, &batch.checkpoints, ordered).await?;
        charge(&mut tx, &batch.accounts).await?;
        delete(&mut tx, &batch.deleted).await?;
        activity::insert(&mut tx, &batch.activity, now()).await?;
        tx.commit().await.map_err(unsure)
    }
}

/// A commit that failed may have taken effect, unless it was rolled back for another's sake. Whoever tries again must
/// read first.
fn unsure(error: StoreError) -> BatchError {
    BatchError::Store(match error {
        StoreError::Contended => StoreError::Contended,
        error => {
            StoreError::Unavailable(format!("{error}; whether the transaction took effect is not known"))
        }
    })
}

/// Writes conversations that are new, in a transaction of [`Store::write_conversation_rows`].
pub(crate) async fn create(tx: &mut Tx, mut rows: Vec<&ConversationRow>) -> Result<(), BatchError> {
    rows.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    for part in parts(&rows) {
        let query = CREATE.of(tx, part.len());
        let query = part.iter().fold(query, |query, row| bind_conversation(query, row, row.created_at.0));
        if tx.execute(query).await? != part.len() as u64 {
            return Err(who_has_taken(tx, part).await?);
        }
    }
    Ok(())
}

/// Finds the id that another conversation has.
async fn who_has_taken(tx: &mut Tx, wanted: &[&ConversationRow]) -> Result<BatchError, StoreError> {
    let query =
        tx.built(format!("SELECT id, key FROM conversations WHERE id IN {}", batch::list(wanted.len(), 0)));
    let query = wanted.iter().fold(query, |query, row| query.bind(row.id.to_string()));
    let mut holders: BTreeMap<String, i64> = BTreeMap::new();
    for row in tx.rows(query).await? {
        holders.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let taken =
        wanted.iter().find(|row| holders.get(row.id.as_str()).is_some_and(|holder| *holder != row.key));
    // It may have been deleted in between.
    Ok(taken.map_or(BatchError::Stale, |row| BatchError::IdTaken(row.id.clone())))
}

/// Writes entries of logs, in a transaction of [`Store::write_conversation_rows`]. What is in the logs already is the
/// caller's to know.
pub(crate) async fn append(tx: &mut Tx, mut log: Vec<&LogRow>) -> Result<(), BatchError> {
    log.sort_unstable_by_key(|row| (row.key, row.position));
    for part in parts(&log) {
        let query = part.iter().fold(APPEND.of(tx, part.len()), |query, row| {
            query
                .bind(row.key)
                .bind(row.position)
                .bind(row.at.0)
                .bind(storable(&row.event))
                .bind(row.message_id.as_deref().map(storable))
                .bind(storable(&row.body))
        });
        tx.execute(query).await?;
    }
    Ok(())
}

async fn checkpoint(
    tx: &mut Tx,
    checkpoints: &[ConversationRow],
    ordered: &Ordered<'_>,
) -> Result<(), BatchError> {
    // The newest of each conversation: one statement changes no row twice.
    let mut newest: BTreeMap<i64, &ConversationRow> = BTreeMap::new();
    for row in checkpoints {
        if newest.get(&row.key).is_none_or(|known| known.position <= row.position) {
            newest.insert(row.key, row);
        }
    }
    let rows: Vec<_> = newest.into_values().collect();
    for part in parts(&rows) {
        let query = part.iter().fold(CHECKPOINT.of(tx, part.len()), |query, row| {
            bind_conversation(query, row, ordered.last_change(row.key).unwrap_or_default().0)
        });
        tx.execute(query).await?;
    }
    Ok(())
}

fn bind_conversation(query: Statement, row: &ConversationRow, changed_at: i64) -> Statement {
    query
        .bind(row.key)
        .bind(row.id.to_string())
        .bind(row.owner.as_deref().map(storable))
        .bind(row.root.as_ref().map(ConversationId::to_string))
        .bind(storable(&row.state))
        .bind(row.position)
        .bind(i64::from(row.exhausted))
        .bind(row.created_at.0)
        .bind(changed_at)
        .bind(row.due_at.map(|at| at.0))
}

async fn charge(tx: &mut Tx, accounts: &[AccountRow]) -> Result<(), BatchError> {
    let mut rows: Vec<_> = accounts.iter().map(|row| (row.id.to_string(), row)).collect();
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for part in parts(&rows) {
        let query = part.iter().fold(CHARGE.of(tx, part.len()), |query, (id, row)| {
            query.bind(id.clone()).bind(row.version + 1).bind(storable(&row.state))
        });
        if tx.execute(query).await? != part.len() as u64 {
            return Err(BatchError::Stale);
        }
    }
    Ok(())
}

/// Deletes conversations, and leaves their logs to be cleared.
pub(super) async fn delete(tx: &mut Tx, keys: &[i64]) -> Result<(), StoreError> {
    for chunk in keys.chunks(batch::rows_per_statement(1, 0)) {
        for sql in [
            format!(
                "INSERT INTO deleted_conversations (key) VALUES {} ON CONFLICT DO NOTHING",
                batch::tuples(chunk.len(), 1, 0)
            ),
            format!("DELETE FROM conversations WHERE key IN {}", batch::list(chunk.len(), 0)),
        ] {
            tx.execute(chunk.iter().fold(tx.built(sql), |query, key| query.bind(*key))).await?;
        }
    }
    Ok(())
}
