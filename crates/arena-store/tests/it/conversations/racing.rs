//! Several writers on one database.

use super::*;
use std::time::Duration;

/// Conversations that all writers write to at once.
const SHARED: [i64; 6] = [1, 2, 3, 4, 5, 6];
const BUDGETS: [&str; 3] = ["owner:a", "owner:b", "tree:talk-1"];

/// Reads everything, and adds to all of it, in the one or the other order.
async fn add_to_all(store: &Store, backwards: bool, author: &str) -> Batch {
    let mut batch = Batch::default();
    for (read, tail) in store.conversations_with_tails(&SHARED.map(|key| row(key).id)).await.unwrap() {
        assert_eq!(tail, [], "each batch brings its checkpoints, and both are read as of one moment");
        let position = read.position + 1;
        batch.log.push(message(read.key, position, &format!("{author}-{position}")));
        batch.checkpoints.push(ConversationRow { position, ..read });
    }
    batch.accounts = store.accounts(&BUDGETS.map(|name| name.parse().unwrap())).await.unwrap();
    batch.log.sort_by_key(|entry| entry.key);
    batch.checkpoints.sort_by_key(|row| row.key);
    batch.accounts.sort_by_key(|account| account.id.clone());
    if backwards {
        batch.log.reverse();
        batch.checkpoints.reverse();
        batch.accounts.reverse();
    }
    batch
}

/// PostgreSQL never had to end a transaction because two of this database waited for each other.
async fn assert_no_deadlock(db: &Db, stores: [Store; 2]) {
    if db.is_postgres() {
        for store in stores {
            store.close().await;
        }
        assert_eq!(deadlocks(db).await, 0);
    }
}

/// How many there were; known when everybody else has left the database.
async fn deadlocks(db: &Db) -> i64 {
    let pool = db.raw().await;
    let mut connection = pool.acquire().await.unwrap();
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database() AND NOT EXISTS \
               (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
               AND backend_type = 'client backend')";
    let alone = async {
        loop {
            if let Some(count) = sqlx::query_scalar(sql).fetch_optional(&mut *connection).await.unwrap() {
                return count;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), alone).await.expect("somebody stays")
}

on_both!(writers_in_opposite_order_neither_wait_for_each_other_nor_lose_anything, async |db| {
    const EACH: i64 = 40;
    let stores = [db.open().await, db.open().await];
    let accounts = BUDGETS.map(|name| account(name, 0)).into();
    write(&stores[0], &Batch { accounts, ..creation(SHARED) }).await;
    let work = at_once(4, |n| {
        let store = stores[n % 2].clone();
        async move {
            let mut written = 0;
            while written < EACH {
                let batch = add_to_all(&store, n % 2 == 1, &format!("w{n}")).await;
                match store.write_conversations(&batch).await {
                    Ok(()) => written += 1,
                    Err(BatchError::Stale) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        }
    });
    tokio::time::timeout(Duration::from_secs(200), work).await.expect("somebody waits for ever");
    for key in SHARED {
        let log = log_of(&stores[0], key).await;
        assert!(log.iter().zip(1..).all(|(entry, position)| entry.position == position));
        assert_eq!(i64::try_from(log.len()), Ok(1 + 4 * EACH), "each batch that was accepted is there once");
        let (row, tail) = stored(&stores[1], key).await.unwrap();
        assert_eq!((row.position, tail.len()), (1 + 4 * EACH, 0));
    }
    for account in stores[0].accounts(&BUDGETS.map(|name| name.parse().unwrap())).await.unwrap() {
        assert_eq!(account.version, 1 + 4 * EACH);
    }
    assert_no_deadlock(db, stores).await;
});

on_both!(conversations_with_the_same_budgets_charge_them_in_one_order, async |db| {
    let stores = [db.open().await, db.open().await];
    let accounts = BUDGETS.map(|name| account(name, 0)).into();
    write(&stores[0], &Batch { accounts, ..Batch::default() }).await;
    let written = at_once(4, |n| {
        let store = stores[n % 2].clone();
        async move {
            let mut written = 0;
            for _ in 0..100 {
                let mut accounts = store.accounts(&BUDGETS.map(|name| name.parse().unwrap())).await.unwrap();
                accounts.sort_by_key(|account| account.id.clone());
                if n % 2 == 1 {
                    accounts.reverse();
                }
                match store.write_conversations(&Batch { accounts, ..Batch::default() }).await {
                    Ok(()) => written += 1,
                    Err(BatchError::Stale) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            written
        }
    })
    .await;
    for account in stores[0].accounts(&BUDGETS.map(|name| name.parse().unwrap())).await.unwrap() {
        assert_eq!(account.version, 1 + written.iter().sum::<i64>());
    }
    assert_no_deadlock(db, stores).await;
});

on_both!(of_those_who_create_at_once_one_succeeds, async |db| {
    let stores = [db.open().await, db.open().await];
    for round in 0..20 {
        let outcomes = at_once(8, |n| {
            let store = stores[n % 2].clone();
            async move {
                let key = |which: usize| i64::try_from(1_000 * round + 10 * n + which).unwrap();
                let mut batch = creation([key(0), key(1)]);
                // The ones take the first id first, the others the second.
                batch.created[n % 2].id = id(&format!("first-{round}"));
                batch.created[1 - n % 2].id = id(&format!("second-{round}"));
                store.write_conversations(&batch).await
            }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let taken = |error: &BatchError| matches!(error, BatchError::IdTaken(_));
        assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(taken), "{outcomes:?}");
    }
    assert_no_deadlock(db, stores).await;
});

on_both!(nothing_is_added_to_what_somebody_else_deletes, async |db| {
    let stores = [db.open().await, db.open().await];
    for key in 1..=60 {
        write(&stores[0], &creation([key])).await;
        let appended = at_once(3, |n| {
            let store = stores[n % 2].clone();
            async move {
                if n == 0 {
                    for _ in 0..key % 5 {
                        tokio::task::yield_now().await;
                    }
                    write(&store, &Batch { deleted: vec![key], ..Batch::default() }).await;
                    store.clear_deleted(1_000).await.unwrap();
                    return 0;
                }
                let mut position = 1;
                loop {
                    assert!(position < 5_000, "it is gone, and goes on");
                    let batch = appending([entry(key, position + 1)]);
                    match store.write_conversations(&batch).await {
                        Ok(()) => position += 1,
                        Err(BatchError::Stale) => match stored(&store, key).await {
                            Some((_, tail)) => position = tail.last().map_or(1, |entry| entry.position),
                            None => return position,
                        },
                        Err(other) => panic!("{other}"),
                    }
                }
            }
        })
        .await;
        assert_eq!(appended.len(), 3);
    }
    while stores[0].clear_deleted(1_000).await.unwrap() > 0 {}
    assert_eq!(count(db, "conversation_log").await, 0, "entries that nobody will ever clear");
    assert_eq!(count(db, "deleted_conversations").await, 0);
});
