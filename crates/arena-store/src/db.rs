//! The connection to the database: SQLite with one writer and several readers, or PostgreSQL.

use crate::batch;
use crate::connect::{install_drivers, open_postgres, open_sqlite};
use crate::error::StoreError;
use crate::{migrate, pooler};
use arena_core::admission::AdmissionRules;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyPool, AssertSqlSafe, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// How to open the store.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Most connections: readers on SQLite, all on PostgreSQL.
    pub max_connections: u32,
    /// Whether a pooler in transaction mode stands in front of PostgreSQL: no statement is prepared by name then.
    pub pooled: bool,
    /// The rules that admission is decided by.
    pub rules: AdmissionRules,
}

impl StoreOptions {
    /// The defaults for a database.
    pub fn new(url: impl Into<String>) -> StoreOptions {
        StoreOptions { url: url.into(), max_connections: 16, pooled: false, rules: AdmissionRules::default() }
    }
}

/// The database. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    dialect: Dialect,
    writer: AnyPool,
    reader: AnyPool,
    pooled: bool,
    rules: AdmissionRules,
    /// Whether anything was written since SQLite's write-ahead log was moved into the file.
    written: Arc<AtomicBool>,
}

/// Serialises every change of who lives where, on all nodes: an advisory lock's number on PostgreSQL.
const PLACEMENT_LOCK: i64 = 0x4152_454e_4101;
/// Serialises migrations.
const MIGRATION_LOCK: i64 = 0x4152_454e_4102;
/// Begins to write to conversations on PostgreSQL. Whoever appends shares a lock (71821605880068 is 0x4152_454e_4104)
/// that whoever deletes has alone: what is looked up stays so until the commit, and no row needs a lock of its own.
/// Plans are kept with the statements, and one that was made for an empty table would read a large one as a whole.
const APPEND: &str = "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
                      SET LOCAL enable_mergejoin = off; SELECT pg_advisory_xact_lock_shared(71821605880068)";
/// The same for whoever deletes.
const DELETE: &str = "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
                      SET LOCAL enable_mergejoin = off; SELECT pg_advisory_xact_lock(71821605880068)";
/// Begins to write to rows of the matchmaker on PostgreSQL, which are found by their indexes as well: its tables are
/// empty now and full a second later.
const BY_INDEX: &str = "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
                        SET LOCAL enable_mergejoin = off";
/// The same for whoever only reads.
const SNAPSHOT_BY_INDEX: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL enable_seqscan = off; \
                                 SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

impl Store {
    /// Connects, checks that the connection can be trusted, and brings the schema up to date.
    pub async fn open(options: &StoreOptions) -> Result<Store, StoreError> {
        let store = Store::connect(options).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Connects without touching the schema.
    pub async fn connect(options: &StoreOptions) -> Result<Store, StoreError> {
        install_drivers();
        let (dialect, writer, reader) = if options.url.starts_with("sqlite:") {
            let (writer, reader) = open_sqlite(options).await?;
            (Dialect::Sqlite, writer, reader)
        } else if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            let pool = open_postgres(options).await?;
            (Dialect::Postgres, pool.clone(), pool)
        } else {
            let text = "the database URL must start with sqlite:, postgres:// or postgresql://";
            return Err(StoreError::Unusable(text.to_owned()));
        };
        let (pooled, rules, written) = (options.pooled, options.rules, Arc::default());
        let store = Store { dialect, writer, reader, pooled, rules, written };
        if dialect == Dialect::Postgres {
            pooler::check(&store).await?;
        }
        Ok(store)
    }

    /// Brings the schema up to date; what is already applied is left alone. Returns the names of what was applied.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        migrate::run(self).await
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The rules that admission is decided by.
    pub(crate) fn rules(&self) -> AdmissionRules {
        self.rules
    }

    /// Whether anything was written.
    pub(crate) fn written(&self) -> &AtomicBool {
        &self.written
    }

    /// The connections that only read.
    pub(crate) fn reader(&self) -> &AnyPool {
        &self.reader
    }

    /// Asks the database for nothing, to see whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        tx.execute(tx.sql("SELECT 1")).await?;
        tx.commit().await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// Begins a transaction that only reads: one snapshot on SQLite, explicit because a pooler needs it.
    pub(crate) async fn read(&self) -> Result<Tx, StoreError> {
        Ok(self.wrap(self.reader.begin().await?))
    }

    /// Begins a transaction that only reads, and whose statements all see the same, on PostgreSQL too.
    pub(crate) async fn snapshot(&self) -> Result<Tx, StoreError> {
        match self.dialect {
            Dialect::Sqlite => self.read().await,
            Dialect::Postgres => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
                Ok(self.wrap(self.reader.begin_with(begin).await?))
            }
        }
    }

    /// Begins a transaction that writes. SQLite takes its one write lock at once, so that it cannot fail later.
    pub(crate) async fn write(&self) -> Result<Tx, StoreError> {
        self.written.store(true, Ordering::Relaxed);
        match self.dialect {
            Dialect::Sqlite => Ok(self.wrap(self.writer.begin_with("BEGIN IMMEDIATE").await?)),
            Dialect::Postgres => Ok(self.wrap(self.writer.begin().await?)),
        }
    }

    /// Like [`Store::snapshot`]; PostgreSQL goes by indexes, however small the tables were when it planned.
    pub(crate) async fn snapshot_by_index(&self) -> Result<Tx, StoreError> {
        match self.dialect {
            Dialect::Sqlite => self.read().await,
            Dialect::Postgres => Ok(self.wrap(self.reader.begin_with(SNAPSHOT_BY_INDEX).await?)),
        }
    }

    /// Like [`Store::write`]; PostgreSQL goes by indexes, however small the tables were when it planned.
    pub(crate) async fn write_by_index(&self) -> Result<Tx, StoreError> {
        self.written.store(true, Ordering::Relaxed);
        let begin = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => BY_INDEX,
        };
        Ok(self.wrap(self.writer.begin_with(begin).await?))
    }

    /// Begins a transaction that may change who lives where; one at a time on all nodes.
    pub(crate) async fn write_placements(&self) -> Result<Tx, StoreError> {
        self.write_locked(PLACEMENT_LOCK).await
    }

    /// Begins a transaction that writes to conversations. Only one that is `deleting` may delete any; it is alone then,
    /// on all nodes.
    pub(crate) async fn write_conversation_rows(&self, deleting: bool) -> Result<Tx, StoreError> {
        let begin = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => {
                if deleting {
                    DELETE
                } else {
                    APPEND
                }
            }
        };
        self.written.store(true, Ordering::Relaxed);
        Ok(self.wrap(self.writer.begin_with(begin).await?))
    }

    /// Begins a transaction that may change the schema.
    pub(crate) async fn write_schema(&self) -> Result<Tx, StoreError> {
        self.write_locked(MIGRATION_LOCK).await
    }

    async fn write_locked(&self, lock: i64) -> Result<Tx, StoreError> {
        let mut tx = self.write().await?;
        if self.dialect == Dialect::Postgres {
            tx.execute(tx.sql("SELECT 1 FROM (SELECT pg_advisory_xact_lock($1)) AS l").bind(lock)).await?;
        }
        Ok(tx)
    }

    fn wrap(&self, inner: Transaction<'static, Any>) -> Tx {
        Tx { inner, dialect: self.dialect, persistent: !self.pooled }
    }
}

/// A transaction. Dropped without a commit, it is rolled back.
pub(crate) struct Tx {
    inner: Transaction<'static, Any>,
    dialect: Dialect,
    persistent: bool,
}

/// A statement with its parameters.
pub(crate) type Statement = Query<'static, Any, AnyArguments>;

impl Tx {
    /// Which database this is.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A fixed statement.
    pub(crate) fn sql(&self, sql: &'static str) -> Statement {
        #[cfg(test)]
        crate::seen::note(sql);
        sqlx::query(sql).persistent(self.persistent)
    }

    /// A statement put together from fixed parts and parameter numbers; values are always bound. Not kept, because
    /// its text depends on the number of rows.
    pub(crate) fn built(&self, sql: String) -> Statement {
        let sql = if self.dialect == Dialect::Sqlite { batch::for_sqlite(&sql) } else { sql };
        #[cfg(test)]
        crate::seen::note(&sql);
        sqlx::query(AssertSqlSafe(sql)).persistent(false)
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        Ok(statement.execute(&mut *self.inner).await?.rows_affected())
    }

    /// Runs several fixed statements without parameters.
    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(sql).execute(&mut *self.inner).await?;
        Ok(())
    }

    /// Runs a statement put together from numbers of ours, without parameters: data definition.
    pub(crate) async fn define(&mut self, sql: String) -> Result<(), StoreError> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *self.inner).await?;
        Ok(())
    }

    /// All rows.
    pub(crate) async fn rows(&mut self, statement: Statement) -> Result<Vec<AnyRow>, StoreError> {
        Ok(statement.fetch_all(&mut *self.inner).await?)
    }

    /// The first row, if there is one.
    pub(crate) async fn row(&mut self, statement: Statement) -> Result<Option<AnyRow>, StoreError> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }
}

/// Most times that a transaction is tried, so that contention ends in an error and not in a loop.
pub(crate) const ATTEMPTS: u32 = 8;

/// Waits up to 5, 10, 20 … 320 ms before the next attempt: those who were in each other's way begin again at
/// different moments.
pub(crate) async fn step_aside(attempt: u32) {
    let most = 5_000_u64 << attempt.saturating_sub(1).min(6);
    let drawn = getrandom::u64().unwrap_or(most / 2) % most;
    tokio::time::sleep(Duration::from_micros(drawn)).await;
}

/// Runs a transaction again when a concurrent one rolled it back (deadlock, serialization failure).
macro_rules! transact {
    ($begin:expr, |$tx:ident| $body:block) => {{
        let mut attempt = 0;
        loop {
            attempt += 1;
            let outcome = async {
                let mut $tx = $begin.await?;
                let value: Result<_, $crate::StoreError> = async { $body }.await;
                let value = value?;
                $tx.commit().await?;
                Ok::<_, $crate::StoreError>(value)
            }
            .await;
            match outcome {
                Err($crate::StoreError::Contended) if attempt < $crate::db::ATTEMPTS => {
                    $crate::db::step_aside(attempt).await;
                }
                outcome => break outcome,
            }
        }
    }};
}
pub(crate) use transact;
