//! The floor: the bare database appends rows of the log's shape, through the same driver, in a table of its own.

use crate::databases::Database;
use crate::floor::sqlite_options;
use crate::latency::Latencies;
use crate::machine::process_cpu;
use anyhow::Context;
use arena_testing::TestDatabase;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};
use std::fmt::Write;
use std::str::FromStr;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The columns, the key and the index of the log.
const COLUMNS: &str = "conversation BIGINT NOT NULL, position BIGINT NOT NULL, at BIGINT NOT NULL, event TEXT NOT NULL, \
                       message_id TEXT, body TEXT NOT NULL, PRIMARY KEY (conversation, position)";
const INDEX: &str = "CREATE UNIQUE INDEX bench_log_ids ON bench_log (conversation, message_id) \
                     WHERE message_id IS NOT NULL";
/// Columns of a row.
const WIDTH: usize = 6;
/// Keys of conversations are made from the time; these are as long.
const FIRST_KEY: i64 = 1 << 60;
/// As often as the control plane does.
pub const MOVE_WAL_EVERY: Duration = Duration::from_millis(250);

/// What is appended.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// Rows in one statement, which is a transaction of its own.
    pub batch: usize,
    /// Conversations that the rows go to, in turns.
    pub conversations: usize,
    /// Whether messages have ids of their senders' choice, which are indexed.
    pub ids: bool,
    /// The body of every row.
    pub body: &'a str,
}

/// What was measured.
#[derive(Debug)]
pub struct Appended {
    /// Rows a second.
    pub rate: f64,
    /// How long a transaction takes.
    pub batches: Latencies,
    /// Processor time of this process for each row, in microseconds; a database server's is not in it.
    pub cpu_us: f64,
    /// What the disk had to write for each row, in KiB.
    pub written_kib: f64,
}

/// What has been used when a measurement begins.
pub struct Meter {
    started: Instant,
    cpu: Duration,
    written: u64,
}

impl Meter {
    /// From now on.
    pub fn start(database: &Database) -> anyhow::Result<Meter> {
        let (written, cpu) = (database.written_bytes()?, process_cpu("self")?);
        Ok(Meter { started: Instant::now(), cpu, written })
    }

    /// Until now, in which so many rows were written.
    pub fn stop(self, database: &Database, rows: i64, batches: Vec<Duration>) -> anyhow::Result<Appended> {
        let (took, cpu) = (self.started.elapsed(), process_cpu("self")? - self.cpu);
        let (rows, written) = (rows as f64, database.written_bytes()? - self.written);
        Ok(Appended {
            rate: rows / took.as_secs_f64(),
            batches: Latencies::new(batches),
            cpu_us: cpu.as_secs_f64() * 1e6 / rows,
            written_kib: written as f64 / 1024.0 / rows,
        })
    }
}

/// Appends to an empty table for a while: one connection, one multi-row statement a transaction, prepared once.
pub async fn append(database: &Database, shape: Shape<'_>, lasting: Duration) -> anyhow::Result<Appended> {
    let own = database.create()?;
    let mut connection = Bare::connect(&own).await?;
    connection.make_table().await?;
    let moving = moving_wal(&own).await?;
    let statement = connection.statement(shape.batch);
    let (mut next, mut batches) = (0_i64, Vec::new());
    let (started, meter) = (Instant::now(), Meter::start(database)?);
    while started.elapsed() < lasting {
        let begun = Instant::now();
        connection.insert(&statement, &shape, next).await?;
        batches.push(begun.elapsed());
        next += i64::try_from(shape.batch)?;
    }
    let appended = meter.stop(database, next, batches)?;
    drop(moving);
    connection.close().await?;
    Ok(appended)
}

/// On SQLite somebody moves what was written into the file, as beside the store. Ends when it is dropped.
async fn moving_wal(database: &TestDatabase) -> anyhow::Result<JoinSet<Result<(), sqlx::Error>>> {
    let mut task = JoinSet::new();
    if database.url().starts_with("sqlite:") {
        let mut connection = sqlite_options(database.url()).connect().await?;
        task.spawn(async move {
            loop {
                sleep(MOVE_WAL_EVERY).await;
                sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut connection).await?;
            }
        });
    }
    Ok(task)
}

/// A connection without the store around it.
enum Bare {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Binds every row of a batch, from the `next`th of all on.
macro_rules! bind_rows {
    ($statement:expr, $shape:expr, $next:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($statement));
        let at = arena_store::now().0;
        let conversations = i64::try_from($shape.conversations)?;
        for row in 0..i64::try_from($shape.batch)? {
            let nth = $next + row;
            let id = $shape.ids.then(|| format!("m-{nth}"));
            query = query
                .bind(FIRST_KEY + nth % conversations)
                .bind(1 + nth / conversations)
                .bind(at)
                .bind("message")
                .bind(id)
                .bind($shape.body);
        }
        query
    }};
}

impl Bare {
    async fn connect(database: &TestDatabase) -> anyhow::Result<Bare> {
        let url = database.url();
        if url.starts_with("sqlite:") {
            let connection = sqlite_options(url).connect().await.context("open the bare SQLite file")?;
            return Ok(Bare::Sqlite(connection));
        }
        let connection = PgConnectOptions::from_str(url)?.connect().await.context("connect to PostgreSQL")?;
        Ok(Bare::Postgres(connection))
    }

    async fn make_table(&mut self) -> anyhow::Result<()> {
        let table = AssertSqlSafe(format!("CREATE TABLE bench_log ({COLUMNS}); {INDEX}"));
        match self {
            Bare::Sqlite(connection) => sqlx::raw_sql(table).execute(connection).await.map(drop)?,
            Bare::Postgres(connection) => sqlx::raw_sql(table).execute(connection).await.map(drop)?,
        }
        Ok(())
    }

    /// SQLite looks parameters up by name unless they have none.
    fn statement(&self, rows: usize) -> String {
        let mut sql = "INSERT INTO bench_log VALUES ".to_owned();
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ",(" });
            for column in 0..WIDTH {
                let comma = if column == 0 { "" } else { "," };
                let written = match self {
                    Bare::Sqlite(_) => write!(sql, "{comma}?"),
                    Bare::Postgres(_) => write!(sql, "{comma}${}", row * WIDTH + column + 1),
                };
                written.expect("invariant: writing to a String cannot fail");
            }
            sql.push(')');
        }
        sql
    }

    async fn insert(&mut self, statement: &str, shape: &Shape<'_>, next: i64) -> anyhow::Result<()> {
        let statement = statement.to_owned();
        match self {
            Bare::Sqlite(connection) => {
                bind_rows!(statement, shape, next).execute(connection).await?;
            }
            Bare::Postgres(connection) => {
                bind_rows!(statement, shape, next).execute(connection).await?;
            }
        }
        Ok(())
    }

    async fn close(self) -> anyhow::Result<()> {
        match self {
            Bare::Sqlite(connection) => connection.close().await?,
            Bare::Postgres(connection) => connection.close().await?,
        }
        Ok(())
    }
}
