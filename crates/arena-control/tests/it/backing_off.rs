//! A bot that cannot be deployed is tried again when its time has come, and not for ever.

use crate::support::{Arena, Call, Db, Fault, actor, bot, until};
use arena_core::BotId;
use arena_core::bot::BotState;
use std::time::Duration;

async fn is_failed(arena: &Arena, bot: BotId) -> bool {
    matches!(arena.state(bot).await, BotState::Failed { .. })
}

async fn refused_bot(arena: &Arena, retryable: bool) -> BotId {
    arena.host.fail(&[Call::Join], Some("a"), Fault::Refuses { retryable });
    arena.enroll(vec![bot("refused", Some("a"))]).await[0]
}

on_both!(attempts_are_counted_and_wait_for_their_time, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 1), ("b", 1)]).await;
    let bot = refused_bot(&arena, true).await;
    until("the first attempt has failed", async || {
        matches!(arena.state(bot).await, BotState::Backoff { attempt: 1.., .. })
    })
    .await;
    // Nudges do not make it due.
    until("it is given up", async || {
        arena.channels.sync(&"a".parse().unwrap()).await.unwrap();
        is_failed(&arena, bot).await
    })
    .await;
    let joins = arena.host.joins_of(bot);
    assert_eq!(joins.len(), 4);
    for (n, least_ms) in [28, 56, 112].into_iter().enumerate() {
        let gap = joins[n + 1] - joins[n];
        assert!(gap >= Duration::from_millis(least_ms), "attempt {} came {gap:?} after the last", n + 2);
    }
    let why = arena.why(bot).await;
    assert!(why.contains("the town is full") && why.contains("4 attempts"), "{why}");
    arena.sync("a").await;
    assert_eq!(arena.host.joins_of(bot).len(), 4, "nothing but an operator brings it back");
    arena.stop().await;
});

on_both!(a_retry_and_a_new_assignment_start_afresh, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 1), ("b", 1)]).await;
    let bot = refused_bot(&arena, true).await;
    until("it is given up", async || is_failed(&arena, bot).await).await;
    arena.bots.retry(&actor(), bot).await.unwrap();
    until("it is given up again", async || {
        arena.host.joins_of(bot).len() == 8 && is_failed(&arena, bot).await
    })
    .await;
    arena.move_to(bot, "b").await;
    arena.until_settled().await;
    arena.host.mend();
    arena.move_to(bot, "a").await;
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_final_refusal_is_not_tried_again, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 1)]).await;
    let bot = refused_bot(&arena, false).await;
    until("it is given up", async || is_failed(&arena, bot).await).await;
    assert_eq!(arena.host.joins_of(bot).len(), 1);
    arena.host.mend();
    arena.bots.retry(&actor(), bot).await.unwrap();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(an_outage_neither_counts_as_an_attempt_nor_forgives_those_before, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 1)]).await;
    let bot = refused_bot(&arena, true).await;
    until("two attempts have failed", async || {
        matches!(arena.state(bot).await, BotState::Backoff { attempt: 2.., .. })
    })
    .await;
    let before = arena.state(bot).await.attempts();
    arena.host.fail(&[Call::Join], Some("a"), Fault::Status(503));
    let tried = arena.host.joins_of(bot).len();
    until("the outage was met", async || arena.host.joins_of(bot).len() >= tried + 3).await;
    until("it waits as before", async || arena.state(bot).await.attempts() >= before).await;
    assert!(!is_failed(&arena, bot).await);
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(one_bot_in_back_off_does_not_keep_the_others_out, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 1)]).await;
    let bot = refused_bot(&arena, true).await;
    until("it has failed once", async || arena.state(bot).await.attempts() > 0).await;
    arena.host.mend();
    arena.fill("a", 10).await;
    arena.until_settled().await;
    arena.stop().await;
});
