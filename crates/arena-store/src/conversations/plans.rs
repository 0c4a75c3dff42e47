//! No statement about conversations reads a whole table of them. SQLite says how it goes about each.

use super::{Batch, ConversationFilter, ConversationRow, LogRow};
use crate::{PageRequest, Store, StoreOptions, seen};
use arena_core::Timestamp;
use arena_testing::TestDatabase;
use sqlx::Row;

const CONVERSATION: i64 = 1;

fn row(key: i64) -> ConversationRow {
    ConversationRow {
        key,
        id: format!("talk-{key}").parse().unwrap(),
        owner: None,
        root: None,
        state: String::new(),
        position: 2,
        exhausted: true,
        created_at: Timestamp(1),
        due_at: None,
    }
}

fn entry(key: i64, position: i64) -> LogRow {
    LogRow {
        key,
        position,
        at: Timestamp(position),
        event: "message".to_owned(),
        message_id: Some(position.to_string()),
        body: String::new(),
    }
}

/// Does everything that can be done with conversations.
async fn do_everything(store: &Store) {
    let created = |key| Batch { created: vec![row(key)], log: vec![entry(key, 1)], ..Batch::default() };
    store.write_conversations(&created(CONVERSATION)).await.unwrap();
    store.write_conversations(&created(2)).await.unwrap();
    store.write_conversations(&Batch { created: vec![row(1)], ..Batch::default() }).await.unwrap_err();
    let id = row(CONVERSATION).id;
    let batch = Batch {
        log: (2..9).map(|position| entry(CONVERSATION, position)).collect(),
        checkpoints: vec![row(CONVERSATION)],
        accounts: vec![super::AccountRow {
            id: "owner:a".parse().unwrap(),
            version: 0,
            state: String::new(),
        }],
        deleted: vec![2],
        ..Batch::default()
    };
    store.write_conversations(&batch).await.unwrap();
    assert_eq!(store.conversations_with_tails(&[id.clone(), row(2).id]).await.unwrap().len(), 1);
    assert_eq!(store.accounts(&[batch.accounts[0].id.clone()]).await.unwrap().len(), 1);
    let wanted = [(CONVERSATION, "3".to_owned()), (CONVERSATION, "4".to_owned())];
    assert_eq!(store.messages_by_id(&wanted).await.unwrap().len(), 2);
    assert_eq!(store.conversation_log(&id, 2, 5).await.unwrap().unwrap().rows.len(), 5);
    assert_eq!(store.last_messages(CONVERSATION, 9, 5).await.unwrap().len(), 5);
    store.due_conversations(Timestamp(9), 9).await.unwrap();
    list_by_everything(store).await;
    assert_eq!(store.clear_deleted(9).await.unwrap(), 1);
    assert_eq!(store.prune_conversations(Timestamp(99), 9).await.unwrap(), 1);
}

async fn list_by_everything(store: &Store) {
    let page = PageRequest { limit: 9, cursor: Some("0".to_owned()) };
    for owner in [None, Some("ada".to_owned())] {
        for root in [None, Some(row(CONVERSATION).id)] {
            for exhausted in [None, Some(false), Some(true)] {
                let filter = ConversationFilter { owner: owner.clone(), root: root.clone(), exhausted };
                store.conversations(&filter, &page).await.unwrap();
            }
        }
    }
}

/// The steps in which SQLite reads a table from its beginning to its end, looks past a narrower index, or sorts.
pub(crate) async fn slow_steps(url: &str, sql: &str) -> Vec<String> {
    let connect = format!("{url}?mode=ro").parse().unwrap();
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect_with(&connect).await.unwrap();
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let steps = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
    let narrow = sql.contains("owner = ") || sql.contains("root = ");
    let slow = |step: &String| {
        (step.starts_with("SCAN") && !of_the_statement_itself(step))
            || (step.contains("ORDER BY") && !sql.contains("VALUES"))
            || (narrow && !step.contains("(owner=?") && !step.contains("(root=?"))
    };
    steps.iter().map(|step| step.get("detail")).filter(slow).collect()
}

/// What is read from the beginning to the end is what the statement brings along.
fn of_the_statement_itself(step: &str) -> bool {
    step == "SCAN v" || step.starts_with("SCAN CONSTANT ROW") || step.ends_with("VALUES CLAUSE")
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let database = TestDatabase::sqlite();
    let store = Store::open(&StoreOptions::new(database.url())).await.unwrap();
    seen::take();
    do_everything(&store).await;
    let statements = seen::take();
    assert!(statements.len() > 40, "{}", statements.len());
    for sql in statements {
        assert_eq!(slow_steps(database.url(), &sql).await, Vec::<String>::new(), "{sql}");
    }
}
