use super::*;
use arena_store::{ConversationFilter, PageRequest, StoreError};

/// Six conversations: odd ones are Ada's and in a tree, those from 4 on are exhausted.
async fn six(store: &Store) -> Vec<ConversationRow> {
    let mut batch = creation(1..=6);
    for row in &mut batch.created {
        row.owner = Some(if row.key % 2 == 1 { "ada" } else { "ben" }.to_owned());
        row.root = (row.key % 2 == 1).then(|| id("talk-1"));
        row.exhausted = row.key >= 4;
    }
    write(store, &batch).await;
    batch.created
}

async fn keys_of(store: &Store, filter: &ConversationFilter) -> Vec<i64> {
    let page = store.conversations(filter, &PageRequest::first(100)).await.unwrap();
    assert_eq!(page.next_cursor, None);
    page.items.iter().map(|row| row.key).collect()
}

on_both!(conversations_are_listed_by_owner_tree_and_end, async |db| {
    let store = db.open().await;
    let rows = six(&store).await;
    let any = ConversationFilter::default();
    let page = store.conversations(&any, &PageRequest::first(100)).await.unwrap();
    assert_eq!(page.items, rows);
    let owner = ConversationFilter { owner: Some("ada".to_owned()), ..any.clone() };
    assert_eq!(keys_of(&store, &owner).await, [1, 3, 5]);
    let tree = ConversationFilter { root: Some(id("talk-1")), ..any.clone() };
    assert_eq!(keys_of(&store, &tree).await, [1, 3, 5]);
    for (exhausted, keys) in [(true, [4, 5, 6]), (false, [1, 2, 3])] {
        let filter = ConversationFilter { exhausted: Some(exhausted), ..any.clone() };
        assert_eq!(keys_of(&store, &filter).await, keys);
    }
    let both = ConversationFilter { exhausted: Some(true), ..owner };
    assert_eq!(keys_of(&store, &both).await, [5]);
});

on_both!(pages_neither_repeat_nor_miss_what_was_there, async |db| {
    let store = db.open().await;
    write(&store, &creation((1..=20).map(|n| 100 * n))).await;
    let mut page = PageRequest::first(3);
    let mut seen = Vec::new();
    loop {
        let got = store.conversations(&ConversationFilter::default(), &page).await.unwrap();
        seen.extend(got.items.iter().map(|row| row.key));
        // Somebody makes one behind us, and one before us.
        let last = *seen.last().unwrap();
        write(&store, &creation([last - 1, last + 2])).await;
        let Some(cursor) = got.next_cursor else { break };
        page.cursor = Some(cursor);
    }
    let old: Vec<_> = seen.iter().copied().filter(|key| key % 100 == 0).collect();
    assert_eq!(old, (1..=20).map(|n| 100 * n).collect::<Vec<_>>());
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    page.cursor = Some("talk-1".to_owned());
    let refused = store.conversations(&ConversationFilter::default(), &page).await;
    assert!(matches!(refused, Err(StoreError::BadCursor)));
});

on_both!(what_is_due_is_found_longest_overdue_first, async |db| {
    let store = db.open().await;
    let mut batch = creation(1..=5);
    for (row, due) in batch.created.iter_mut().zip([Some(50), None, Some(30), Some(40), Some(90)]) {
        row.due_at = due.map(Timestamp);
    }
    write(&store, &batch).await;
    let due = async |at, limit| store.due_conversations(Timestamp(at), limit).await.unwrap();
    assert_eq!(due(29, 9).await, []);
    assert_eq!(due(50, 9).await, ["talk-3", "talk-4", "talk-1"].map(id));
    assert_eq!(due(50, 2).await, ["talk-3", "talk-4"].map(id));
    let later = ConversationRow { due_at: None, position: 1, ..row(3) };
    write(&store, &Batch { checkpoints: vec![later], ..Batch::default() }).await;
    assert_eq!(due(40, 9).await, [id("talk-4")]);
});

on_both!(a_log_is_read_in_parts, async |db| {
    let store = db.open().await;
    write(&store, &creation([1, 2])).await;
    write(&store, &appending((2..=9).map(|position| entry(1, position)))).await;
    let part = async |after, limit| {
        let slice = store.conversation_log(&id("talk-1"), after, limit).await.unwrap().unwrap();
        slice.rows.iter().map(|row| row.position).collect::<Vec<_>>()
    };
    assert_eq!(part(0, 3).await, [1, 2, 3]);
    assert_eq!(part(7, 3).await, [8, 9]);
    assert_eq!(part(9, 3).await, Vec::<i64>::new());
    assert_eq!(store.conversation_log(&id("nobody"), 0, 3).await.unwrap(), None);
});

on_both!(the_last_messages_are_those_that_were_said, async |db| {
    let store = db.open().await;
    write(&store, &creation([1, 2])).await;
    let events = ["message", "reserved", "system", "message", "exhausted"];
    let said = |(position, event): (i64, &str)| LogRow { event: event.to_owned(), ..entry(1, position) };
    write(&store, &appending((2..).zip(events).map(said))).await;
    let last = async |before, limit| {
        let rows = store.last_messages(1, before, limit).await.unwrap();
        rows.iter().map(|row| row.position).collect::<Vec<_>>()
    };
    assert_eq!(last(i64::MAX, 2).await, [4, 5]);
    assert_eq!(last(5, 9).await, [2, 4]);
    assert_eq!(last(2, 9).await, Vec::<i64>::new());
    assert_eq!(store.last_messages(2, i64::MAX, 9).await.unwrap(), []);
});
