//! The floor: the bare database writes the rows of as many matches, in the same tables and through the same driver.

use super::crowd::NOW;
use super::stored::{BATCH, Took, conversation, enqueue, line, timed};
use crate::databases::open;
use crate::floor::sqlite_options;
use arena_core::admission::AdmissionRules;
use arena_core::matching::MatchId;
use arena_testing::TestDatabase;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Encode, Sqlite, SqliteConnection, Type};
use uuid::Uuid;

/// Each has met the next one lately, by the ids of their tickets.
const PART: &str = "INSERT INTO match_partings (low, high, until) \
    SELECT CASE WHEN a < b THEN a ELSE b END, CASE WHEN a < b THEN b ELSE a END, 9000000000000 FROM (SELECT \
    user_id AS a, LEAD(user_id) OVER (ORDER BY id) AS b FROM tickets) AS neighbours WHERE b IS NOT NULL";

const TALKS: &str =
    "INSERT INTO conversations (key, id, state, position, exhausted, created_at, changed_at) VALUES";
const LOG: &str = "INSERT INTO conversation_log (conversation, position, at, event, body) VALUES";
const MATCHES: &str = "INSERT INTO matches (id, queue, conversation, quality, made_at, confirm_until, changed_at, state, \
                       settled) VALUES";
const TICKETS: &str = "UPDATE tickets SET state = v.column2, match_id = v.column3, version = v.column4, changed_at = v.column5 \
                       FROM (VALUES";
const MEMBERS: &str = "INSERT INTO match_members (match_id, ticket, user_id, kind, team) VALUES";

/// Rows for a statement.
#[derive(Default)]
struct Rows {
    values: SqliteArguments,
    rows: usize,
}

impl Rows {
    fn add<T: for<'q> Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> anyhow::Result<&mut Rows> {
        self.values.add(value).map_err(|error| anyhow::anyhow!(error))?;
        Ok(self)
    }

    /// The statement stays prepared: its text depends on the number of rows alone.
    async fn write(self, to: &mut SqliteConnection, head: &str, tail: &str) -> anyhow::Result<()> {
        let columns = self.values.len() / self.rows;
        let row = format!("({})", vec!["?"; columns].join(","));
        let sql = format!("{head} {}{tail}", vec![row; self.rows].join(","));
        sqlx::query_with(AssertSqlSafe(sql), self.values).execute(to).await?;
        Ok(())
    }
}

/// Keeps every waiting user from another one.
pub async fn part_neighbours(database: &TestDatabase) -> anyhow::Result<()> {
    let mut connection = sqlite_options(database.url()).connect().await?;
    sqlx::raw_sql(PART).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Writes the matches of so many tickets, which it knows already. Returns how many matches, and what it took.
pub async fn floor(many: usize) -> anyhow::Result<(usize, Took)> {
    let own = TestDatabase::sqlite();
    let store = open(&own, AdmissionRules::default()).await?;
    enqueue(&store, many).await?;
    part_neighbours(&own).await?;
    store.close().await;
    let mut connection = sqlite_options(own.url()).connect().await?;
    let tickets: Vec<(String, String)> =
        sqlx::query_as("SELECT id, user_id FROM tickets ORDER BY id").fetch_all(&mut connection).await?;
    let pairs: Vec<_> = tickets.chunks_exact(2).collect();
    let ((), took) = timed(async {
        for (part, first) in pairs.chunks(BATCH).zip((1_i64 << 60..).step_by(BATCH)) {
            write(&mut connection, part, first).await?;
        }
        Ok(())
    })
    .await?;
    connection.close().await?;
    Ok((pairs.len(), took))
}

/// One transaction.
async fn write(
    to: &mut SqliteConnection,
    pairs: &[&[(String, String)]],
    first_key: i64,
) -> anyhow::Result<()> {
    let (mut talks, mut log, mut matches) = (Rows::default(), Rows::default(), Rows::default());
    let (mut tickets, mut members) = (Rows::default(), Rows::default());
    for (pair, key) in pairs.iter().zip(first_key..) {
        let id = MatchId(Uuid::now_v7());
        let (talk, line) = (conversation(id, key)?, line(key));
        talks.add(key)?.add(talk.id.to_string())?.add(talk.state)?.add(1)?.add(0)?.add(NOW.0)?.add(NOW.0)?;
        log.add(key)?.add(1)?.add(NOW.0)?.add(line.event)?.add(line.body)?;
        matches.add(id.to_string())?.add("strangers")?.add(talk.id.to_string())?.add(50)?.add(NOW.0)?;
        matches.add(NOW.0 + 8_000)?.add(NOW.0)?.add("proposed")?.add(1)?;
        for ((ticket, user), team) in pair.iter().zip(0_i64..) {
            tickets.add(ticket.clone())?.add("proposed")?.add(id.to_string())?.add(2)?.add(NOW.0)?;
            members.add(id.to_string())?.add(ticket.clone())?.add(user.clone())?.add("human")?.add(team)?;
        }
    }
    let count = pairs.len();
    for rows in [&mut talks, &mut log, &mut matches] {
        rows.rows = count;
    }
    (tickets.rows, members.rows) = (2 * count, 2 * count);
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *to).await?;
    talks.write(to, TALKS, "").await?;
    log.write(to, LOG, "").await?;
    matches.write(to, MATCHES, "").await?;
    tickets.write(to, TICKETS, ") AS v WHERE tickets.id = v.column1").await?;
    members.write(to, MEMBERS, "").await?;
    sqlx::raw_sql("COMMIT").execute(&mut *to).await?;
    Ok(())
}
