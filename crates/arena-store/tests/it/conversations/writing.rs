use super::*;
use arena_store::{ActivityDraft, ActivityFilter, PageRequest};

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

on_both!(batches_of_any_size_are_written, async |db| {
    let store = db.open().await;
    write(&store, &Batch::default()).await;
    write(&store, &creation(1..=700)).await;
    let log = (2..=4).flat_map(|position| (1..=700).map(move |key| entry(key, position)));
    write(&store, &appending(log)).await;
    for key in [1, 350, 700] {
        assert_eq!(log_of(&store, key).await, [1, 2, 3, 4].map(|position| entry(key, position)));
    }
});

on_both!(entries_are_numbered_without_gaps, async |db| {
    let store = db.open().await;
    write(&store, &creation([1, 2])).await;
    let gaps = [
        appending([entry(1, 2), entry(1, 4)]),
        appending([entry(1, 2), entry(1, 2)]),
        appending([entry(1, 0)]),
        Batch { log: vec![entry(3, 2)], ..creation([3]) },
    ];
    for gap in gaps {
        assert!(matches!(refused(&store, &gap).await, BatchError::Store(_)), "{gap:?}");
    }
    assert!(matches!(refused(&store, &appending([entry(2, 2), entry(1, 3)])).await, BatchError::Stale));
    write(&store, &appending([entry(1, 3), entry(1, 2)])).await;
    assert_eq!(log_of(&store, 1).await, [1, 2, 3].map(|position| entry(1, position)), "in any order");
    assert!(matches!(refused(&store, &appending([entry(1, 3), entry(1, 4)])).await, BatchError::Stale));
    assert_eq!(count(db, "conversation_log").await, 4);
});

on_both!(a_shared_budget_is_changed_by_whoever_read_it_last, async |db| {
    let (store, other) = (db.open().await, db.open().await);
    let charge = |accounts| Batch { accounts, ..Batch::default() };
    write(&store, &charge(vec![account("owner:b", 0), account("owner:a", 0)])).await;
    assert!(matches!(refused(&other, &charge(vec![account("owner:a", 0)])).await, BatchError::Stale));
    write(&other, &charge(vec![account("owner:a", 1)])).await;
    let both = charge(vec![account("owner:b", 1), account("owner:c", 0), account("owner:a", 1)]);
    assert!(matches!(refused(&store, &both).await, BatchError::Stale));
    let ids = ["owner:a", "owner:b", "owner:c"].map(|id| id.parse().unwrap());
    let mut found = store.accounts(&ids).await.unwrap();
    found.sort_by_key(|account| account.id.clone());
    let expected = [("owner:a", 2, 1), ("owner:b", 1, 0)]
        .map(|(name, version, written_with)| AccountRow { version, ..account(name, written_with) });
    assert_eq!(found, expected);
});

on_both!(a_refused_batch_leaves_nothing, async |db| {
    let store = db.open().await;
    write(&store, &creation([1, 2])).await;
    write(&store, &appending([message(1, 2, "m")])).await;
    let draft = ActivityDraft {
        actor: actor(),
        action: "conversation.deleted",
        bot: None,
        channel: None,
        detail: serde_json::Value::Null,
    };
    let good = Batch {
        checkpoints: vec![ConversationRow { position: 2, exhausted: true, ..row(1) }],
        accounts: vec![account("owner:a", 0)],
        deleted: vec![2],
        activity: vec![draft],
        ..creation([3])
    };
    let before = (stored(&store, 1).await, stored(&store, 2).await);
    let spoilt = [
        Batch { log: vec![entry(3, 1), message(1, 3, "m")], ..good.clone() },
        Batch { log: vec![entry(3, 1), entry(1, 2)], ..good.clone() },
        Batch {
            accounts: vec![account("owner:b", 0), account("owner:a", 7), account("owner:a", 0)],
            ..good.clone()
        },
        Batch { deleted: vec![2, 99], ..good.clone() },
    ];
    for batch in spoilt {
        refused(&store, &batch).await;
        assert_eq!((stored(&store, 1).await, stored(&store, 2).await), before, "{batch:?}");
        assert_eq!(stored(&store, 3).await, None, "{batch:?}");
        assert_eq!(store.accounts(&["owner:a".parse().unwrap()]).await.unwrap(), []);
    }
    let log = store.activity(&ActivityFilter::default(), &PageRequest::first(9)).await.unwrap();
    assert_eq!(log.items, []);
    write(&store, &good).await;
    assert_eq!(stored(&store, 2).await, None);
    let log = store.activity(&ActivityFilter::default(), &PageRequest::first(9)).await.unwrap();
    assert_eq!(log.items[0].action, "conversation.deleted");
});

on_both!(checkpoints_never_go_back, async |db| {
    let (store, other) = (db.open().await, db.open().await);
    write(&store, &creation([1])).await;
    write(&store, &appending((2..=9).map(|position| entry(1, position)))).await;
    let checkpoint = |position, state: &str| ConversationRow { position, state: state.to_owned(), ..row(1) };
    let of = |checkpoints| Batch { checkpoints, ..Batch::default() };
    write(&other, &of(vec![checkpoint(6, "six"), checkpoint(4, "four")])).await;
    write(&store, &of(vec![checkpoint(5, "five")])).await;
    let (now, tail) = stored(&store, 1).await.unwrap();
    assert_eq!((now.position, &now.state[..]), (6, "six"));
    assert_eq!(tail, [7, 8, 9].map(|position| entry(1, position)));
    let due = ConversationRow { due_at: Some(Timestamp(7)), exhausted: true, ..checkpoint(6, "six") };
    write(&store, &of(vec![due.clone()])).await;
    assert_eq!(stored(&store, 1).await.unwrap().0, due, "at the same place it is the same state");
    assert!(matches!(refused(&store, &of(vec![row(9)])).await, BatchError::Stale), "it never was");
    assert_eq!(stored(&store, 9).await, None);
});

on_both!(what_postgres_cannot_store_is_stored_as_something_else, async |db| {
    let store = db.open().await;
    write(&store, &creation([1])).await;
    let odd = LogRow { body: "a\0b".to_owned(), ..entry(1, 2) };
    write(&store, &appending([odd.clone()])).await;
    assert_eq!(log_of(&store, 1).await[1].body, "a\u{FFFD}b");
});
