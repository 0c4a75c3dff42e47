//! Partitions of the activity log: PostgreSQL only, SQLite has none.

use crate::support::*;
use arena_core::Timestamp;
use arena_store::{ActivityDraft, ActivityFilter, Actor, PageRequest, Store};
use arena_testing::TestDatabase;
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;
const WEEK: Duration = Duration::from_secs(7 * 86_400);

async fn log(store: &Store, action: &'static str) {
    let detail = serde_json::json!({});
    let draft = ActivityDraft { actor: Actor::system(), action, bot: None, channel: None, detail };
    store.log(&[draft]).await.unwrap();
}

async fn entries(db: &Db, partition: &str) -> i64 {
    db.count(&format!("SELECT COUNT(*) FROM {partition}")).await
}

async fn partitions(db: &Db) -> i64 {
    db.count("SELECT COUNT(*) FROM pg_inherits WHERE inhparent = CAST('activity' AS REGCLASS)").await
}

#[test]
fn each_days_entries_go_to_the_days_partition() {
    run(TestDatabase::postgres(), async |db| {
        let store = db.open().await;
        store.keep_activity(arena_store::now(), WEEK).await.unwrap();
        let today = arena_store::now().0.div_euclid(DAY_MS);
        log(&store, "now").await;
        let sql = format!(
            "SELECT COUNT(*) FROM activity WHERE tableoid IN ('activity_day_{today}'::regclass, \
                           'activity_day_{}'::regclass)",
            today + 1
        );
        assert_eq!(db.count(&sql).await, 1);
        assert_eq!(entries(db, "activity_default").await, 0);
    });
}

#[test]
fn keeping_again_changes_nothing() {
    run(TestDatabase::postgres(), async |db| {
        let store = db.open().await;
        let now = Timestamp(20_000 * DAY_MS + 5);
        for _ in 0..3 {
            assert_eq!(store.keep_activity(now, WEEK).await.unwrap(), 0);
            assert_eq!(partitions(db).await, 4);
        }
    });
}

#[test]
fn strays_move_from_the_default_partition_to_their_day() {
    run(TestDatabase::postgres(), async |db| {
        let store = db.open().await;
        log(&store, "early").await;
        assert_eq!(entries(db, "activity_default").await, 1);
        let at = db.count("SELECT at FROM activity").await;
        store.keep_activity(Timestamp(at), WEEK).await.unwrap();
        assert_eq!(entries(db, "activity_default").await, 0);
        assert_eq!(entries(db, &format!("activity_day_{}", at.div_euclid(DAY_MS))).await, 1);
        let page = store.activity(&ActivityFilter::default(), &PageRequest::first(9)).await.unwrap();
        assert_eq!(page.items.len(), 1);
    });
}

#[test]
fn whole_days_are_dropped_when_their_time_is_over() {
    run(TestDatabase::postgres(), async |db| {
        let store = db.open().await;
        let now = arena_store::now();
        store.keep_activity(now, WEEK).await.unwrap();
        log(&store, "old").await;
        let in_nine_days = Timestamp(now.0 + 9 * DAY_MS);
        assert!(store.keep_activity(in_nine_days, WEEK).await.unwrap() >= 1);
        assert_eq!(entries(db, "activity").await, 0);
        let old = format!("activity_day_{}", now.0.div_euclid(DAY_MS));
        let sql = format!("SELECT COUNT(*) FROM pg_class WHERE relname = '{old}'");
        assert_eq!(db.count(&sql).await, 0);
    });
}

#[test]
fn partitions_come_and_go_while_others_write_and_read() {
    run(TestDatabase::postgres(), async |db| {
        let store = db.open().await;
        let now = arena_store::now().0;
        at_once(6, |n| {
            let store = store.clone();
            async move {
                for step in 0..20 {
                    match n {
                        0 => drop(
                            store.keep_activity(Timestamp(now + step * DAY_MS), 300 * WEEK).await.unwrap(),
                        ),
                        1 | 2 => {
                            let page = PageRequest::first(50);
                            store.activity(&ActivityFilter::default(), &page).await.unwrap();
                        }
                        _ => log(&store, "busy").await,
                    }
                }
            }
        })
        .await;
        assert_eq!(entries(db, "activity").await, 60);
    });
}
