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

on_both!(what_was_written_is_read_back, async |db| {
    let store = db.open().await;
    let mut batch = creation([7, 3]);
    batch.created[0].owner = Some("ünïcode 🎲".to_owned());
    batch.created[0].root = Some(id("talk-3"));
    batch.created[0].due_at = Some(Timestamp(5_000));
    batch.accounts = vec![account("owner:ünïcode 🎲", 0), account("tree:talk-3", 0)];
    write(&store, &batch).await;
    let large = LogRow { body: format!("\"{}\"", "é".repeat(32_767)), ..message(7, 3, "m") };
    write(&store, &appending([large.clone(), entry(7, 2), entry(3, 2)])).await;

    assert_eq!(log_of(&store, 7).await, [entry(7, 1), entry(7, 2), large.clone()]);
    let found = store.conversations_with_tails(&[id("talk-7"), id("nobody"), id("talk-3")]).await.unwrap();
    let seven = found.iter().find(|(row, _)| row.key == 7).unwrap();
    assert_eq!(*seven, (batch.created[0].clone(), vec![entry(7, 2), large.clone()]));
    assert_eq!(found.len(), 2);
    assert_eq!(found.iter().find(|(row, _)| row.key == 3).unwrap().1, [entry(3, 2)]);

    let wanted = ["m", "n"].map(|id| (7, id.to_owned()));
    assert_eq!(store.messages_by_id(&wanted).await.unwrap(), [large]);
    let mut accounts =
        store.accounts(&[batch.accounts[0].id.clone(), batch.accounts[1].id.clone()]).await.unwrap();
    accounts.sort_by_key(|account| account.id.clone());
    let stored = batch.accounts.iter().map(|account| AccountRow { version: 1, ..account.clone() });
    assert_eq!(accounts, stored.collect::<Vec<_>>());
});

on_both!(of_two_writers_one_is_stale, async |db| {
    let (store, other) = (db.open().await, db.open().await);
    write(&store, &creation([1, 2])).await;
    write(&other, &appending([entry(1, 2)])).await;
    assert!(matches!(refused(&store, &appending([entry(2, 2), entry(1, 2)])).await, BatchError::Stale));
    assert!(matches!(refused(&store, &appending([entry(1, 4)])).await, BatchError::Stale), "a gap");
    assert_eq!(log_of(&store, 2).await, [entry(2, 1)], "nothing of a refused batch is kept");
});

on_both!(taken_ids_and_repeated_messages_are_told_apart, async |db| {
    let (store, other) = (db.open().await, db.open().await);
    write(&other, &creation([1])).await;
    write(&other, &appending([message(1, 2, "m")])).await;
    assert!(matches!(refused(&store, &appending([message(1, 3, "m")])).await, BatchError::Repeated));
    let mut again = creation([5, 6]);
    again.created[1].id = id("talk-1");
    assert!(matches!(refused(&store, &again).await, BatchError::IdTaken(taken) if taken == id("talk-1")));
    let mut again = creation([1]);
    again.created[0].id = id("talk-other");
    assert!(matches!(refused(&store, &again).await, BatchError::Stale), "a key that is taken");
});
