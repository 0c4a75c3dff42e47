use crate::support::*;
use arena_core::admission::Op;
use arena_core::channel::Mode;
use arena_store::{Activity, ActivityDraft, ActivityFilter, Actor, PageRequest, Store, StoreError};
use std::time::Duration;

async fn all(store: &Store, filter: &ActivityFilter) -> Vec<Activity> {
    let page = store.activity(filter, &PageRequest::first(1_000)).await.unwrap();
    assert_eq!(page.next_cursor, None);
    page.items
}

/// What the log says, oldest first, without the entries that were there before.
async fn actions_since(store: &Store, before: usize) -> Vec<String> {
    let log = all(store, &ActivityFilter::default()).await;
    let mut new: Vec<_> = log[..log.len() - before].iter().map(|entry| entry.action.clone()).collect();
    new.reverse();
    new
}

fn draft(action: &'static str) -> ActivityDraft {
    let detail = serde_json::json!({ "why": "ü'\"" });
    ActivityDraft { actor: Actor::system(), action, bot: None, channel: Some(name("club")), detail }
}

on_both!(every_kind_of_act_is_logged, async |db| {
    let store = db.open().await;
    let mut logged = 0;
    let bots = enroll(&store, 1).await;
    let bot = bots[0];
    assert_eq!(actions_since(&store, 0).await, ["channel.opened", "bot.created"]);
    logged += 2;
    open(&store, "side", 5).await;
    let acts = [
        (assign(bot, "side"), vec!["bot.moved"]),
        (Op::Remove { bot, from: None }, vec!["bot.removed"]),
        (Op::Place { bot }, vec!["bot.assigned"]),
        (set_limit("side", 4), vec!["channel.configured"]),
        (set_mode("main", Mode::Draining), vec!["channel.opened", "channel.configured", "bot.moved"]),
        (Op::Migrate { from: name("main-2"), to: name("side"), bots: None }, vec!["bot.moved"]),
        (close("side"), vec!["bot.moved", "channel.closed"]),
        (Op::Rebalance { group: None }, vec![]),
    ];
    logged += 1;
    for (op, expected) in acts {
        act(&store, op.clone()).await;
        assert_eq!(actions_since(&store, logged).await, expected, "{op:?}");
        logged += expected.len();
    }
    let last = all(&store, &ActivityFilter { bot: Some(bot), ..ActivityFilter::default() }).await;
    assert_eq!(last[0].actor, "tester");
    assert_eq!(last[0].channel, Some(name("main-2")));
    assert_eq!(last[0].detail, serde_json::json!({ "from": "side" }));
});

on_both!(what_was_refused_is_not_logged, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 1).await;
    refusal(&store, assign(bots[0], "gone")).await;
    refusal(&store, close("gone")).await;
    assert_eq!(actions_since(&store, 2).await, Vec::<String>::new());
});

on_both!(pages_go_from_the_newest_to_the_oldest_while_more_is_logged, async |db| {
    let store = db.open().await;
    let actions = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    for action in actions {
        store.log(&[draft(action)]).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut page = PageRequest::first(3);
    loop {
        let got = store.activity(&ActivityFilter::default(), &page).await.unwrap();
        seen.extend(got.items.into_iter().map(|entry| entry.action));
        store.log(&[draft("later")]).await.unwrap();
        match got.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(seen, ["j", "i", "h", "g", "f", "e", "d", "c", "b", "a"]);
});

on_both!(entries_of_one_batch_keep_their_order, async |db| {
    let store = db.open().await;
    let batch: Vec<_> = (0..1_500).map(|n| draft(if n % 2 == 0 { "even" } else { "odd" })).collect();
    store.log(&batch).await.unwrap();
    let page = store.activity(&ActivityFilter::default(), &PageRequest::first(1_000)).await.unwrap();
    assert_eq!(page.items.len(), 1_000);
    for pair in page.items.chunks(2) {
        assert_eq!((pair[0].action.as_str(), pair[1].action.as_str()), ("odd", "even"));
    }
});

on_both!(the_log_is_filtered, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 2).await;
    store.log(&[draft("a"), draft("b"), draft("a")]).await.unwrap();
    let filter = |bot, channel: Option<&str>, action: Option<&str>| ActivityFilter {
        bot,
        channel: channel.map(name),
        action: action.map(str::to_owned),
    };
    let cases = [
        (filter(None, None, None), 6),
        (filter(Some(bots[0]), None, None), 1),
        (filter(None, Some("club"), None), 3),
        (filter(None, Some("club"), Some("a")), 2),
        (filter(None, None, Some("bot.created")), 2),
        (filter(Some(bots[0]), Some("club"), None), 0),
        (filter(None, None, Some("no\0such")), 0),
    ];
    for (filter, expected) in cases {
        assert_eq!(all(&store, &filter).await.len(), expected, "{filter:?}");
    }
    let entry = &all(&store, &filter(None, Some("club"), Some("b"))).await[0];
    assert_eq!((entry.actor.as_str(), &entry.detail), ("arena", &draft("b").detail));
});

on_both!(a_cursor_of_somebody_elses_is_refused, async |db| {
    let store = db.open().await;
    for cursor in ["", "x", "'; DROP TABLE activity", "\0"] {
        let page = PageRequest { limit: 5, cursor: Some(cursor.to_owned()) };
        let refused = store.activity(&ActivityFilter::default(), &page).await;
        assert!(matches!(refused, Err(StoreError::BadCursor)), "{cursor:?}: {refused:?}");
    }
});

on_both!(what_is_older_than_its_time_is_forgotten, async |db| {
    const DAY: Duration = Duration::from_secs(86_400);
    let store = db.open().await;
    let now = arena_store::now();
    store.log(&[draft("old")]).await.unwrap();
    raw_sql(db, &format!("UPDATE activity SET at = {}", now.0 - 10 * 86_400_000)).await.unwrap();
    store.log(&[draft("new")]).await.unwrap();
    store.keep_activity(now, 30 * DAY).await.unwrap();
    assert_eq!(all(&store, &ActivityFilter::default()).await.len(), 2);
    store.keep_activity(now, 7 * DAY).await.unwrap();
    let left = all(&store, &ActivityFilter::default()).await;
    assert_eq!(left.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["new"]);
});
