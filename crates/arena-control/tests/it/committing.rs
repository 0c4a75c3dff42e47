//! Group commit: many orders in one transaction, each with an outcome of its own.

use crate::support::{Arena, Db, FaultyHost, actor, bot, brisk, name, until};
use arena_control::{ChannelPatch, ControlSettings, ServiceError};
use arena_core::BotId;
use arena_core::channel::Mode;
use sqlx::{AnyConnection, Connection};
use std::future::poll_fn;
use std::task::Poll;
use tokio::task::JoinSet;

/// Keeps every assignment waiting until it is let go.
struct Barrier(AnyConnection);

impl Barrier {
    async fn hold(db: &Db) -> Barrier {
        let mut raw = db.raw().await;
        let lock = if db.is_postgres() {
            "BEGIN; SELECT 1 FROM (SELECT pg_advisory_xact_lock(71752852425985)) AS l"
        } else {
            "BEGIN IMMEDIATE"
        };
        sqlx::raw_sql(lock).execute(&mut raw).await.unwrap();
        Barrier(raw)
    }

    async fn let_go(mut self) {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await.unwrap();
        self.0.close().await.unwrap();
    }
}

async fn start_with_queue(db: &Db, max_queue: usize) -> (Arena, Vec<BotId>) {
    let arena = Arena::start_with(db, FaultyHost::new(), ControlSettings { max_queue, ..brisk() }).await;
    for channel in ["home", "a", "b"] {
        arena.open(channel, 30).await;
    }
    let bots = arena.fill("home", 12).await;
    arena.until_settled().await;
    (arena, bots)
}

/// Sends an order in as a task of its own, and waits until it has been handed in.
async fn assign_in(
    tasks: &mut JoinSet<(BotId, Result<(), ServiceError>)>,
    arena: &Arena,
    bot: BotId,
    channel: &str,
) {
    let (bots, channel) = (arena.bots.clone(), name(channel));
    let mut call = Box::pin(async move {
        let outcome = bots.assign(&actor(), bot, Some(channel)).await;
        (bot, outcome.map(drop))
    });
    let done = poll_fn(|context| {
        Poll::Ready(match call.as_mut().poll(context) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        })
    })
    .await;
    match done {
        Some(done) => tasks.spawn(async move { done }),
        None => tasks.spawn(call),
    };
}

on_both!(two_hundred_assignments_against_one_seat_seat_one, async |db: &Db| {
    let arena = Arena::start(db).await;
    arena.open("narrow", 1).await;
    let bots = arena.enroll((0..200).map(|n| bot(&format!("b{n}"), None)).collect()).await;
    let mut tasks = JoinSet::new();
    for bot in bots {
        assign_in(&mut tasks, &arena, bot, "narrow").await;
    }
    let outcomes = tasks.join_all().await;
    let refused = outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().err());
    assert!(refused.clone().all(|error| error.code() == "channel_full"));
    assert_eq!(refused.count(), 199);
    arena.until_settled().await;
    assert_eq!(arena.residents_of("narrow").await.len(), 1);
    arena.stop().await;
});

on_both!(more_orders_than_the_queue_holds_are_refused_as_overload, async |db: &Db| {
    let (arena, bots) = start_with_queue(db, 4).await;
    let barrier = Barrier::hold(db).await;
    let mut tasks = JoinSet::new();
    for bot in &bots {
        assign_in(&mut tasks, &arena, *bot, "a").await;
    }
    barrier.let_go().await;
    let (mut done, mut overloaded) = (0, 0);
    for (bot, outcome) in tasks.join_all().await {
        let channel = arena.bot(bot).await.channel.unwrap();
        match outcome {
            Ok(()) => {
                assert_eq!(channel, name("a"));
                done += 1;
            }
            Err(error) => {
                assert_eq!((error.code(), error.retryable()), ("overloaded", true));
                assert_eq!(channel, name("home"), "what was refused was not done");
                overloaded += 1;
            }
        }
    }
    assert!(done >= 4 && overloaded >= 1, "{done} done, {overloaded} overloaded");
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(orders_of_one_batch_each_have_their_own_outcome, async |db: &Db| {
    let (arena, bots) = start_with_queue(db, 64).await;
    arena.open("narrow", 2).await;
    let barrier = Barrier::hold(db).await;
    let mut tasks = JoinSet::new();
    for bot in &bots[..4] {
        assign_in(&mut tasks, &arena, *bot, "narrow").await;
    }
    assign_in(&mut tasks, &arena, bots[4], "gone").await;
    assign_in(&mut tasks, &arena, "9".repeat(32).parse().unwrap(), "a").await;
    assign_in(&mut tasks, &arena, bots[5], "a").await;
    barrier.let_go().await;
    let mut codes: Vec<&str> = Vec::new();
    for (_, outcome) in tasks.join_all().await {
        codes.push(outcome.err().map_or("ok", |error| error.code()));
    }
    codes.sort_unstable();
    let expected = ["bot_not_found", "channel_full", "channel_full", "channel_not_found", "ok", "ok", "ok"];
    assert_eq!(codes, expected);
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(orders_are_carried_out_in_the_order_in_which_they_came, async |db: &Db| {
    let (arena, bots) = start_with_queue(db, 64).await;
    let barrier = Barrier::hold(db).await;
    let mut tasks = JoinSet::new();
    for channel in ["a", "b", "home", "b"] {
        assign_in(&mut tasks, &arena, bots[0], channel).await;
    }
    assign_in(&mut tasks, &arena, bots[1], "a").await;
    let patch = ChannelPatch { mode: Some(Mode::Maintenance), ..ChannelPatch::default() };
    let channels = arena.channels.clone();
    let mut closing = Box::pin(async move { channels.configure(&actor(), &name("a"), patch).await });
    poll_fn(|context| {
        assert!(closing.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    assign_in(&mut tasks, &arena, bots[2], "a").await;
    barrier.let_go().await;
    closing.await.unwrap();
    let outcomes: std::collections::BTreeMap<_, _> = tasks.join_all().await.into_iter().collect();
    assert_eq!(arena.bot(bots[0]).await.channel, Some(name("b")));
    assert!(outcomes[&bots[1]].is_ok(), "it came before the channel was closed");
    assert_eq!(outcomes[&bots[2]].as_ref().unwrap_err().code(), "channel_not_accepting");
    arena.until_settled().await;
    arena.stop().await;
});

/// Only PostgreSQL lets a limit be set beside our rules afterwards.
#[test]
fn an_order_that_the_database_itself_refuses_does_not_take_its_batch_along() {
    crate::support::run(arena_testing::TestDatabase::postgres(), async |db: &Db| {
        let (arena, bots) = start_with_queue(db, 64).await;
        db.raw_sql(
            "ALTER TABLE channels ADD CONSTRAINT channels_seats_by_hand CHECK (name <> 'a' OR bots <= 1)",
        )
        .await;
        let barrier = Barrier::hold(db).await;
        let mut tasks = JoinSet::new();
        for bot in &bots[..3] {
            assign_in(&mut tasks, &arena, *bot, "a").await;
        }
        for bot in &bots[3..6] {
            assign_in(&mut tasks, &arena, *bot, "b").await;
        }
        barrier.let_go().await;
        let outcomes: std::collections::BTreeMap<_, _> = tasks.join_all().await.into_iter().collect();
        let done = |bots: &[BotId]| bots.iter().filter(|bot| outcomes[bot].is_ok()).count();
        assert_eq!((done(&bots[..3]), done(&bots[3..6])), (1, 3));
        let refused = bots[..3].iter().filter_map(|bot| outcomes[bot].as_ref().err());
        assert!(refused.into_iter().all(|error| error.code() == "channel_full"));
        arena.until_settled().await;
        arena.stop().await;
    });
}

on_both!(an_order_whose_caller_went_away_is_carried_out_and_synced, async |db: &Db| {
    let (arena, bots) = start_with_queue(db, 64).await;
    let barrier = Barrier::hold(db).await;
    let mut tasks = JoinSet::new();
    assign_in(&mut tasks, &arena, bots[0], "a").await;
    tasks.shutdown().await;
    barrier.let_go().await;
    until("it is there", async || arena.residents_of("a").await == [bots[0]]).await;
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(orders_that_wait_when_arena_stops_are_told_so_and_not_begun, async |db: &Db| {
    let (mut arena, bots) = start_with_queue(db, 64).await;
    let barrier = Barrier::hold(db).await;
    let mut tasks = JoinSet::new();
    assign_in(&mut tasks, &arena, bots[0], "a").await;
    // The first one is in its transaction, the others wait behind it.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    for bot in &bots[1..4] {
        assign_in(&mut tasks, &arena, *bot, "a").await;
    }
    let control = arena.control();
    let (in_time, ()) = tokio::join!(control.shutdown(std::time::Duration::from_secs(20)), barrier.let_go());
    assert!(in_time);
    for (bot, outcome) in tasks.join_all().await {
        let moved = arena.bot(bot).await.channel == Some(name("a"));
        match outcome {
            Ok(()) => assert!(moved),
            Err(error) => assert_eq!((error.code(), moved), ("shutting_down", false)),
        }
    }
    assert_eq!(arena.bot(bots[0]).await.channel, Some(name("a")), "what was begun came to its end");
    let late = arena.bots.assign(&actor(), bots[5], Some(name("a"))).await.unwrap_err();
    assert_eq!(late.code(), "shutting_down");
});
