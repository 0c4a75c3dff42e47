//! What the sweep asks every moment walks what is alive, and not all that is kept. SQLite says how it goes about each.

use crate::{Attendance, Store, StoreOptions, seen};
use arena_core::Timestamp;
use arena_core::matching::{MatchId, QueueName};
use arena_testing::TestDatabase;
use sqlx::Row;
use uuid::Uuid;

/// Asks for everything that the sweep looks for.
async fn sweep(store: &Store) {
    let (now, queue) = (Timestamp(9), QueueName::strangers());
    store.unconfirmed_matches(now, 9).await.unwrap();
    store.proposed_matches((now, MatchId(Uuid::nil())), 9).await.unwrap();
    store.lost_members(&queue, now, now, 9).await.unwrap();
    store.matches_talked_out(9).await.unwrap();
    store.unsettled_matches(9).await.unwrap();
    store.end_stale(&queue, now, Some(now), 9, now).await.unwrap();
    let (conversation, user) = ("match-1".parse().unwrap(), "ada".parse().unwrap());
    store.attend_matches(&[Attendance { conversation, user, away_since: None }]).await.unwrap();
}

/// How SQLite finds matches and tickets for a statement.
async fn steps(url: &str, sql: &str) -> Vec<String> {
    let connect = format!("{url}?mode=ro").parse().unwrap();
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect_with(&connect).await.unwrap();
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let steps = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
    steps.iter().map(|step| step.get("detail")).collect()
}

/// The indexes that hold only what is alive, or is asked for by its key.
const NARROW: [&str; 9] = [
    "matches_proposed",
    "matches_standing",
    "matches_tournaments",
    "matches_unsettled",
    "match_members_away",
    "matches_by_conversation (conversation=?)",
    "tickets_live",
    "tickets_seen",
    "autoindex",
];

#[tokio::test]
async fn what_the_sweep_asks_for_is_found_by_the_indexes_of_what_is_alive() {
    let database = TestDatabase::sqlite();
    let store = Store::open(&StoreOptions::new(database.url())).await.unwrap();
    seen::take();
    sweep(&store).await;
    let statements = seen::take();
    assert!(statements.len() > 6, "{statements:?}");
    for sql in statements {
        for step in steps(database.url(), &sql).await {
            let walks = step.contains("INDEX") || step.starts_with("SCAN m");
            assert!(!walks || NARROW.iter().any(|index| step.contains(index)), "{step}: {sql}");
            assert!(!step.contains("matches_by_age"), "{step}: {sql}");
        }
    }
}
