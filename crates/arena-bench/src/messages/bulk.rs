//! A SQLite file full of conversations, copied from one that the service made: a million through the service would take
//! minutes.

use super::rig::{self, Rig};
use crate::floor::sqlite_options;
use anyhow::{Context, ensure};
use arena_control::ConversationSettings;
use arena_core::conversation::{ConversationId, Turns};
use arena_store::{Actor, Store, StoreOptions};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

/// Said in each.
const MESSAGES: usize = 4;
const TEXT_BYTES: usize = 164;

/// The `n`th conversation.
pub fn id(n: usize) -> anyhow::Result<ConversationId> {
    Ok(format!("copy-{n}").parse()?)
}

/// Makes so many conversations in a new file, each with four messages in its log.
pub async fn make(url: &str, count: usize) -> anyhow::Result<()> {
    make_first(url).await?;
    // Nobody reads along, and who is interrupted begins anew.
    let mut connection = sqlite_options(url)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .pragma("cache_size", "-400000")
        .connect()
        .await
        .context("open the file to be filled")?;
    for copy in [CONVERSATIONS, LOGS] {
        sqlx::query(copy).bind(i64::try_from(count)?).execute(&mut connection).await?;
    }
    let made: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM conversations").fetch_one(&mut connection).await?;
    ensure!(usize::try_from(made)? == count, "{made} conversations were made, not {count}");
    sqlx::raw_sql("ANALYZE").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// The one that the others are copied from.
async fn make_first(url: &str) -> anyhow::Result<()> {
    let rig = Rig::over(Store::open(&StoreOptions::new(url)).await?, ConversationSettings::default())?;
    let participants = rig::participants(MESSAGES)?;
    let setup = rig::never_spent(participants.clone(), Turns::default());
    rig.conversations.create(&Actor::system(), Some(id(0)?), setup, None).await?;
    for participant in &participants {
        let word = rig::say(participant, &"x".repeat(TEXT_BYTES));
        rig.conversations.submit(&Actor::system(), &id(0)?, word).await?;
    }
    // Its ledger is written down on the way.
    rig.stop().await
}

/// The ids stand in the rows and in the JSON.
const CONVERSATIONS: &str = "\
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $1) \
    INSERT INTO conversations \
    (key, id, owner, root, state, position, exhausted, created_at, changed_at, due_at) \
    SELECT c.key + n, 'copy-' || n, c.owner, replace(c.root, 'copy-0', 'copy-' || n), \
    replace(c.state, '\"copy-0\"', '\"copy-' || n || '\"'), c.position, c.exhausted, c.created_at, c.changed_at, c.due_at \
    FROM numbers CROSS JOIN (SELECT * FROM conversations) AS c";

const LOGS: &str = "\
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $1) \
    INSERT INTO conversation_log (conversation, position, at, event, message_id, body) \
    SELECT l.conversation + n, l.position, l.at, l.event, l.message_id, \
    replace(l.body, '\"copy-0\"', '\"copy-' || n || '\"') \
    FROM numbers CROSS JOIN (SELECT * FROM conversation_log) AS l";
