//! An outage never looks like a deletion.

use crate::support::{Arena, Db, Fault, FaultyHost, brisk, name, until};
use arena_control::ControlSettings;
use arena_core::WorldId;
use arena_core::bot::BotState;
use arena_store::Placement;
use arena_testing::{PostgresOptions, PostgresServer, TestDatabase};
use arena_worlds::{WorldEvent, WorldHost};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::broadcast;

/// Everything that an outage must not change.
async fn recorded(arena: &Arena) -> (Vec<Placement>, Vec<(BotState, Option<WorldId>, i64)>) {
    let mut placements = Vec::new();
    for channel in ["a", "b"] {
        placements.push(arena.store.placement(&name(channel)).await.unwrap());
    }
    let bots = arena.all_bots().await;
    (placements, bots.into_iter().map(|bot| (bot.state, bot.world, bot.epoch)).collect())
}

async fn worlds(arena: &Arena) -> BTreeSet<WorldId> {
    arena.host.native.list().await.unwrap().into_iter().map(|world| world.hosted.world).collect()
}

async fn start(db: &Db) -> Arena {
    let settings = ControlSettings { host_timeout: Duration::from_millis(500), ..brisk() };
    let arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    for channel in ["a", "b"] {
        arena.open(channel, 30).await;
        arena.fill(channel, 3).await;
    }
    arena.until_settled().await;
    arena
}

on_both!(a_host_that_answers_with_errors_or_not_at_all_changes_nothing, async |db: &Db| {
    let arena = start(db).await;
    let (before, lived) = (recorded(&arena).await, worlds(&arena).await);
    for fault in [500, 502, 503, 504, 429, 408, 302, 401].map(Fault::Status).into_iter().chain([Fault::Hang])
    {
        arena.host.fail(&[], None, fault.clone());
        for channel in ["a", "b"] {
            // Both from the cache and without it.
            arena.sync_in_vain(channel).await;
            arena.channels.discover(&name(channel), true).await.unwrap_err();
            arena.sync_in_vain(channel).await;
        }
        assert_eq!(recorded(&arena).await, before, "{fault:?}");
        assert_eq!(worlds(&arena).await, lived, "{fault:?}");
        arena.host.mend();
    }
    arena.until_settled().await;
    arena.sync("a").await;
    arena.sync("b").await;
    assert_eq!(recorded(&arena).await, before);
    assert_eq!(worlds(&arena).await, lived);
    arena.stop().await;
});

on_both!(a_world_that_is_gone_does_change_what_is_recorded, async |db: &Db| {
    let arena = start(db).await;
    let (before, lived) = (recorded(&arena).await.0, worlds(&arena).await);
    assert_eq!(arena.wipe().await, 2);
    arena.until_settled().await;
    assert!(worlds(&arena).await.is_disjoint(&lived));
    let after = recorded(&arena).await.0;
    assert!(before.iter().zip(&after).all(|(before, after)| after.epoch > before.epoch));
    arena.stop().await;
});

on_both!(an_outage_of_the_whole_host_burns_no_attempt_and_forgets_nobody, async |db: &Db| {
    let arena = start(db).await;
    arena.host.fail(&[], None, Fault::Status(503));
    let mut waiting = arena.fill("a", 10).await.split_off(3);
    waiting.extend(arena.fill("b", 10).await.split_off(3));
    let calls = arena.host.counted_all();
    until("both were tried many times", async || {
        arena.host.counted("a") > calls + 10 && arena.host.counted("b") > 10
    })
    .await;
    for bot in &waiting {
        assert_eq!(arena.state(*bot).await, BotState::Pending);
        let why = arena.why(*bot).await;
        assert!(why.contains("the host has a fault"), "{why}");
    }
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(an_outage_that_begins_with_the_entrance_burns_no_attempt_either, async |db: &Db| {
    let arena = start(db).await;
    arena.host.fail(&[crate::support::Call::Join], None, Fault::Status(500));
    let waiting = arena.fill("a", 5).await.split_off(3);
    until("many tries", async || arena.host.joins_of(waiting[0]).len() > 8).await;
    until("they wait", async || arena.state(waiting[0]).await == BotState::Pending).await;
    until("and say for what", async || arena.why(waiting[0]).await.contains("the host has a fault")).await;
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_slow_host_is_waited_for, async |db: &Db| {
    let arena = Arena::start(db).await;
    arena.host.fail(&[], None, Fault::Slow(Duration::from_millis(60)));
    for channel in ["a", "b"] {
        arena.open(channel, 30).await;
        arena.fill(channel, 10).await;
    }
    arena.until_settled().await;
    assert_eq!(arena.wipe().await, 2);
    arena.until_settled().await;
    assert_eq!(arena.health.sync_totals().failed, 0);
    arena.stop().await;
});

/// Every channel is to be looked at just when the list of channels cannot be had. On one thread, so that more events
/// than the buffer holds are missed for certain.
fn a_failed_listing(database: TestDatabase) {
    let db = Db::new(database);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (events, _keep) = broadcast::channel(1);
        let arena = Arena::start_with(&db, FaultyHost::telling(events.clone()), brisk()).await;
        for channel in ["a", "b", "c"] {
            arena.open(channel, 30).await;
            arena.fill(channel, 3).await;
        }
        arena.until_settled().await;
        db.raw_sql("ALTER TABLE channels RENAME TO channels_away").await;
        let worlds = arena.host.native.list().await.unwrap();
        for world in &worlds {
            arena.host.native.destroy(&world.hosted.world).await.unwrap();
        }
        for world in worlds {
            events.send(WorldEvent::Gone(world.hosted)).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        db.raw_sql("ALTER TABLE channels_away RENAME TO channels").await;
        arena.until_settled().await;
        arena.stop().await;
    });
    drop(runtime);
}

#[test]
fn a_listing_that_failed_is_made_up_for_sqlite() {
    a_failed_listing(TestDatabase::sqlite());
}

#[test]
fn a_listing_that_failed_is_made_up_for_postgres() {
    a_failed_listing(TestDatabase::postgres());
}

/// The database's server is away when worlds end.
#[test]
fn an_outage_of_the_database_loses_no_nudge() {
    let mut server = PostgresServer::start(PostgresOptions::default()).unwrap();
    let db = Db::new(TestDatabase::on(&server).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (events, _keep) = broadcast::channel(1);
        let host = FaultyHost::telling(events.clone());
        let arena = Arena::start_with(&db, host, brisk()).await;
        for channel in ["a", "b"] {
            arena.open(channel, 30).await;
            arena.fill(channel, 3).await;
        }
        arena.until_settled().await;
        server.kill();
        for world in arena.host.native.list().await.unwrap() {
            arena.host.native.destroy(&world.hosted.world).await.unwrap();
            for _ in 0..3 {
                events.send(WorldEvent::Gone(world.hosted.clone())).unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.resume().unwrap();
        until("the database is back", async || arena.store.ping().await.is_ok()).await;
        arena.until_settled().await;
        arena.stop().await;
    });
    drop(runtime);
    drop(db);
}
