use crate::support::*;
use arena_core::admission::Op;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Polls `steps` times at most and drops the future then, wherever it is. Says whether it came to its end.
async fn poll_and_drop(future: impl Future, steps: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..steps {
        if let Poll::Ready(_) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
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
    for round in 0..120 {
        let target = if round % 2 == 0 { "side" } else { "main" };
        let from = if round % 2 == 0 { "main" } else { "side" };
        let op = Op::Migrate { from: name(from), to: name(target), bots: None };
        let finished = poll_and_drop(store.carry_out(&actor(), op), round * 3 % 97).await;
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
