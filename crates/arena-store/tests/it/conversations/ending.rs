use super::*;

fn deleting(keys: impl IntoIterator<Item = i64>) -> Batch {
    Batch { deleted: keys.into_iter().collect(), ..Batch::default() }
}

on_both!(a_deleted_conversation_is_gone_and_its_log_is_cleared_in_parts, async |db| {
    let store = db.open().await;
    write(&store, &creation([1, 2, 3])).await;
    write(&store, &appending((2..=2_500).map(|position| entry(1, position)))).await;
    write(&store, &deleting([1, 3])).await;
    assert_eq!(stored(&store, 1).await, None);
    assert_eq!(store.conversation_log(&id("talk-1"), 0, 9).await.unwrap(), None);
    assert!(matches!(refused(&store, &deleting([1])).await, BatchError::Stale), "it is gone already");
    assert!(matches!(refused(&store, &appending([entry(1, 2_501)])).await, BatchError::Stale));

    assert_eq!(store.clear_deleted(1_200).await.unwrap(), 1_200);
    assert_eq!(count(db, "conversation_log").await, 2_502 - 1_200);
    assert_eq!(store.clear_deleted(100_000).await.unwrap(), 1_301);
    assert_eq!(store.clear_deleted(100_000).await.unwrap(), 0);
    assert_eq!(log_of(&store, 2).await, [entry(2, 1)]);
    assert_eq!(count(db, "conversation_log").await, 1);
    assert_eq!(count(db, "deleted_conversations").await, 0);
    assert!(matches!(refused(&store, &appending([entry(1, 2_501)])).await, BatchError::Stale));
});

on_both!(more_conversations_than_are_looked_at_together_are_cleared, async |db| {
    let store = db.open().await;
    write(&store, &creation(1..=250)).await;
    write(&store, &deleting(1..=250)).await;
    assert_eq!(store.clear_deleted(10_000).await.unwrap(), 250);
    assert_eq!(count(db, "deleted_conversations").await, 0);
});

on_both!(an_id_is_free_again_before_the_old_log_is_cleared, async |db| {
    let store = db.open().await;
    write(&store, &creation([1])).await;
    write(&store, &appending([message(1, 2, "m")])).await;
    write(&store, &deleting([1])).await;
    let mut again = creation([2]);
    again.created[0].id = id("talk-1");
    again.log.push(message(2, 2, "m"));
    write(&store, &again).await;
    let slice = store.conversation_log(&id("talk-1"), 0, 9).await.unwrap().unwrap();
    assert_eq!((slice.key, slice.rows), (2, again.log.clone()));
    store.clear_deleted(100).await.unwrap();
    assert_eq!(store.conversation_log(&id("talk-1"), 0, 9).await.unwrap().unwrap().rows, again.log);
});

on_both!(what_ended_long_ago_is_pruned, async |db| {
    let store = db.open().await;
    write(&store, &creation(1..=5)).await;
    // All but 5 end, each at the time of its entry: 1_002, 1_003 …
    for key in 1..=4 {
        let log = (2..=key + 1).map(|position| entry(key, position)).collect();
        let end = ConversationRow { exhausted: true, position: key + 1, ..row(key) };
        write(&store, &Batch { log, checkpoints: vec![end], ..Batch::default() }).await;
    }
    let prune = async |before, limit| store.prune_conversations(Timestamp(before), limit).await.unwrap();
    assert_eq!(prune(1_002, 9).await, 0);
    assert_eq!(prune(1_004, 1).await, 1);
    assert_eq!(
        (stored(&store, 1).await, stored(&store, 2).await.is_some()),
        (None, true),
        "the oldest first"
    );
    // To look at it again changes nothing.
    let again = ConversationRow { exhausted: true, position: 3, ..row(2) };
    write(&store, &Batch { checkpoints: vec![again], ..Batch::default() }).await;
    // But to open it again does.
    let reopened = ConversationRow { position: 5, ..row(3) };
    write(&store, &Batch { log: vec![entry(3, 5)], checkpoints: vec![reopened], ..Batch::default() }).await;
    assert_eq!(prune(9_999, 9).await, 2);
    for (key, stays) in [(2, false), (3, true), (4, false), (5, true)] {
        assert_eq!(stored(&store, key).await.is_some(), stays, "{key}");
    }
    assert_eq!(store.clear_deleted(100).await.unwrap(), 2 + 3 + 5);
});
