//! The floor: what the bare database does without the store, through the same driver, in a narrow table of its own.

use anyhow::Context;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, PgConnection, SqliteConnection};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Rows of the floor's table: so many that callers hardly ever meet on one.
const ROWS: i64 = 20_000;
const TABLE: &str = "CREATE TABLE bench_floor (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)";
const FILL: &str = "WITH RECURSIVE ids (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM ids WHERE id < 19999) \
                    INSERT INTO bench_floor SELECT id, 0 FROM ids";
/// One statement without a transaction around it is the leanest transaction there is.
const UPDATE: &str = "UPDATE bench_floor SET n = n + 1 WHERE id >= $1 AND id < $2";

/// SQLite as the store sets it up, in a file that is made if it is missing.
pub fn sqlite_options(url: &str) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(url.trim_start_matches("sqlite:"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", "16000")
        .pragma("cache_size", "-8000")
        .pragma("temp_store", "MEMORY")
}

/// The bare database.
#[derive(Debug)]
pub struct Floor {
    connections: Connections,
    callers: usize,
}

/// A connection for each caller, or the only one that writes.
#[derive(Debug)]
enum Connections {
    Sqlite(Arc<Mutex<SqliteConnection>>),
    Postgres(Vec<PgConnection>),
}

impl Floor {
    /// SQLite as the store sets it up.
    pub async fn sqlite(url: &str, callers: usize) -> anyhow::Result<Floor> {
        let mut connection = sqlite_options(url).connect().await.context("open the bare SQLite file")?;
        sqlx::raw_sql(TABLE).execute(&mut connection).await?;
        sqlx::raw_sql(FILL).execute(&mut connection).await?;
        Ok(Floor { connections: Connections::Sqlite(Arc::new(Mutex::new(connection))), callers })
    }

    /// PostgreSQL with a connection for every caller.
    pub async fn postgres(url: &str, callers: usize) -> anyhow::Result<Floor> {
        let options = PgConnectOptions::from_str(url)?;
        let mut connections = Vec::with_capacity(callers);
        for _ in 0..callers {
            connections.push(options.connect().await.context("connect to the bare PostgreSQL")?);
        }
        let first = connections.first_mut().context("the floor needs a caller")?;
        sqlx::raw_sql(TABLE).execute(&mut *first).await?;
        sqlx::raw_sql(FILL).execute(&mut *first).await?;
        sqlx::raw_sql("ANALYZE bench_floor").execute(&mut *first).await?;
        Ok(Floor { connections: Connections::Postgres(connections), callers })
    }

    /// One-row transactions a second.
    pub async fn one_row_rate(&mut self, lasting: Duration) -> anyhow::Result<f64> {
        let started = Instant::now();
        let done = self.run(1, move |_| started.elapsed() < lasting).await?;
        Ok(done as f64 / started.elapsed().as_secs_f64())
    }

    /// How long `transactions` take that update `rows` rows each.
    pub async fn batches(&mut self, transactions: u64, rows: i64) -> anyhow::Result<Duration> {
        let started = Instant::now();
        self.run(rows, move |done| done < transactions).await?;
        Ok(started.elapsed())
    }

    /// Every caller updates the next rows while `more` says so of the number of transactions before it. Returns how
    /// many there were.
    async fn run(
        &mut self,
        rows: i64,
        more: impl Fn(u64) -> bool + Clone + Send + 'static,
    ) -> anyhow::Result<u64> {
        let begun = Arc::new(AtomicU64::new(0));
        let next = {
            let begun = Arc::clone(&begun);
            move || {
                let before = begun.fetch_add(1, Ordering::Relaxed);
                let from = i64::try_from(before).unwrap_or(0) * rows % (ROWS - rows);
                more(before).then_some((from, from + rows))
            }
        };
        let callers = self.callers;
        match &mut self.connections {
            Connections::Sqlite(shared) => {
                let mut tasks = JoinSet::new();
                for _ in 0..callers {
                    tasks.spawn(call_sqlite(Arc::clone(shared), next.clone()));
                }
                finish(tasks).await?;
            }
            Connections::Postgres(connections) => {
                let mut tasks = JoinSet::new();
                for connection in connections.drain(..) {
                    tasks.spawn(call_postgres(connection, next.clone()));
                }
                *connections = finish(tasks).await?;
            }
        }
        // Each caller began one that it did not carry out.
        Ok(begun.load(Ordering::Relaxed) - callers as u64)
    }

    /// Hangs up.
    pub async fn close(self) -> anyhow::Result<()> {
        match self.connections {
            Connections::Sqlite(shared) => {
                let connection = Arc::into_inner(shared).context("a caller still holds the connection")?;
                connection.into_inner().close().await?;
            }
            Connections::Postgres(connections) => {
                for connection in connections {
                    connection.close().await?;
                }
            }
        }
        Ok(())
    }
}

async fn call_sqlite(
    shared: Arc<Mutex<SqliteConnection>>,
    next: impl Fn() -> Option<(i64, i64)>,
) -> anyhow::Result<()> {
    while let Some((from, to)) = next() {
        let mut connection = shared.lock().await;
        sqlx::query(UPDATE).bind(from).bind(to).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn call_postgres(
    mut connection: PgConnection,
    next: impl Fn() -> Option<(i64, i64)>,
) -> anyhow::Result<PgConnection> {
    while let Some((from, to)) = next() {
        sqlx::query(UPDATE).bind(from).bind(to).execute(&mut connection).await?;
    }
    Ok(connection)
}

async fn finish<T: 'static>(mut tasks: JoinSet<anyhow::Result<T>>) -> anyhow::Result<Vec<T>> {
    let mut results = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        results.push(ended??);
    }
    Ok(results)
}
