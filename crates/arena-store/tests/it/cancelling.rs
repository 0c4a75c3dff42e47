use crate::support::*;
use arena_core::admission::Op;
use arena_testing::TestDatabase;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// Polls for so long and drops the future then, wherever it is. Says whether it came to its end.
async fn poll_and_drop(future: impl Future, patience: Duration) -> bool {
    let mut future = pin!(future);
    let until = Instant::now() + patience;
    while Instant::now() < until {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

on_both!(a_transaction_dropped_half_way_leaves_nothing, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 8).await;
    open(&store, "side", 30).await;
    let mut dropped = 0;
    for round in 0..120_u64 {
        let target = if round % 2 == 0 { "side" } else { "main" };
        let from = if round % 2 == 0 { "main" } else { "side" };
        let op = Op::Migrate { from: name(from), to: name(target), bots: None };
        let finished =
            poll_and_drop(store.carry_out(&actor(), op), Duration::from_micros(round * 300 % 9_700)).await;
        dropped += usize::from(!finished);
        let held = loads(&store).await;
        assert!(
            held == expected(&[("main", 8), ("side", 0)]) || held == expected(&[("main", 0), ("side", 8)]),
            "{held:?}"
        );
    }
    assert!(dropped > 0, "nothing was dropped half-way");
    assert_sound(&store).await;

    // Nothing is left open: what is acknowledged now is there for everybody.
    let other = db.open().await;
    for bot in &bots {
        act(&store, Op::Remove { bot: *bot, from: None }).await;
        assert_eq!(get(&other, *bot).await.channel, None);
    }
});

/// A BEGIN whose future is dropped is carried out by the server all the same.
#[test]
fn no_connection_is_left_in_a_transaction_by_who_gave_up() {
    run(TestDatabase::postgres(), async |db| {
        let store = db.open().await;
        let watcher = db.raw().await;
        let sql = "SELECT COUNT(*) FROM pg_stat_activity \
                   WHERE state LIKE 'idle in transaction%' AND datname = current_database()";
        for micros in (0..2_000).step_by(10) {
            poll_and_drop(store.ping(), Duration::from_micros(micros)).await;
            let settled = async {
                while sqlx::query_scalar::<_, i64>(sql).fetch_one(&watcher).await.unwrap() > 0 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), settled).await.expect("a transaction stays open");
        }
        watcher.close().await;
    });
}
