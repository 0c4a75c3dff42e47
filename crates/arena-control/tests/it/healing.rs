//! Worlds that vanish are made anew at once, because somebody tells of it and not because a timer comes round.

use crate::support::{Arena, Db, FaultyHost, bot, brisk, name, until};
use arena_core::BotId;
use arena_testing::TestDatabase;
use arena_worlds::{WorldEvent, WorldHost};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::broadcast;

async fn town(arena: &Arena, bots: usize) {
    arena.enroll((0..bots).map(|n| bot(&format!("bot-{n:04}"), None)).collect()).await;
    arena.until_settled().await;
}

on_both!(forty_full_worlds_wiped_at_once_are_all_live_again, async |db: &Db| {
    let arena = Arena::start(db).await;
    town(&arena, 40 * 24).await;
    assert_eq!(arena.host.native.list().await.unwrap().len(), 40);
    assert_eq!(arena.wipe().await, 40);
    arena.until_settled().await;
    assert_eq!(arena.host.native.list().await.unwrap().len(), 40);
    arena.stop().await;
});

on_both!(wipes_on_top_of_each_other_eat_no_world, async |db: &Db| {
    let arena = Arena::start(db).await;
    town(&arena, 10 * 24).await;
    for _ in 0..30 {
        arena.wipe().await;
        tokio::task::yield_now().await;
    }
    arena.until_settled().await;
    assert_eq!(arena.host.native.list().await.unwrap().len(), 10);
    arena.stop().await;
});

on_both!(one_wiped_world_is_healed_and_the_others_are_left_alone, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3), ("b", 3)]).await;
    let world = async |channel| arena.host.native.find(&name(channel)).await.unwrap().unwrap().world;
    let (a, b) = (world("a").await, world("b").await);
    assert_eq!(arena.worlds.wipe(&crate::support::actor(), Some(&a)).await.unwrap(), 1);
    arena.until_settled().await;
    assert_eq!(world("b").await, b);
    let again = arena.worlds.wipe(&crate::support::actor(), Some(&a)).await.unwrap_err();
    assert_eq!(again.code(), "world_not_found");
    arena.stop().await;
});

/// On one thread the listener cannot keep up, for certain: of many events it hears the last one only.
fn more_events_than_the_buffer_holds(database: TestDatabase) {
    let db = Db::new(database);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (events, _keep) = broadcast::channel(1);
        let arena = Arena::start_with(&db, FaultyHost::telling(events.clone()), brisk()).await;
        town(&arena, 5 * 24).await;
        let worlds = arena.host.native.list().await.unwrap();
        for world in &worlds {
            arena.host.native.destroy(&world.hosted.world).await.unwrap();
        }
        for world in worlds {
            events.send(WorldEvent::Gone(world.hosted)).unwrap();
        }
        arena.until_settled().await;
        arena.stop().await;
    });
    drop(runtime);
}

#[test]
fn more_worlds_that_end_than_the_listener_can_be_told_of_are_healed_sqlite() {
    more_events_than_the_buffer_holds(TestDatabase::sqlite());
}

#[test]
fn more_worlds_that_end_than_the_listener_can_be_told_of_are_healed_postgres() {
    more_events_than_the_buffer_holds(TestDatabase::postgres());
}

on_both!(worlds_that_end_without_a_word_are_found_by_the_sweep, async |db: &Db| {
    let (events, _keep) = broadcast::channel(8);
    let settings = arena_control::ControlSettings {
        sync_every: Duration::from_millis(100),
        cache_ttl: Duration::from_millis(50),
        ..brisk()
    };
    let arena = Arena::start_with(db, FaultyHost::telling(events), settings).await;
    town(&arena, 3 * 24).await;
    for world in arena.host.native.list().await.unwrap() {
        arena.host.native.destroy(&world.hosted.world).await.unwrap();
    }
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_world_of_more_bots_than_one_sync_deploys_is_filled_in_several, async |db: &Db| {
    let settings = arena_control::ControlSettings { max_deploys_per_run: 4, ..brisk() };
    let arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    arena.open("a", 30).await;
    arena.fill("a", 30).await;
    arena.until_settled().await;
    arena.stop().await;
});

type Places = BTreeMap<BotId, (u16, u16)>;

async fn saved(arena: &Arena, channel: &str) -> Places {
    arena_worlds::last_positions(&arena.store, &name(channel)).await.unwrap()
}

async fn standing(arena: &Arena, channel: &str) -> Places {
    let Some(hosted) = arena.host.native.find(&name(channel)).await.unwrap() else { return Places::new() };
    arena.host.native.positions(&hosted.world).await.unwrap_or_default().into_iter().collect()
}

/// Nobody is further from where it last stood than it can have walked in the meantime.
fn assert_near(before: &Places, after: &Places, tiles: i32) {
    for (bot, (x, y)) in after {
        let (was_x, was_y) = before[bot];
        let away = (i32::from(*x) - i32::from(was_x)).abs().max((i32::from(*y) - i32::from(was_y)).abs());
        assert!(away <= tiles, "{bot} stood at {was_x},{was_y} and appears at {x},{y}");
    }
}

on_both!(bots_stand_where_they_last_stood_after_a_wipe_and_after_a_restart, async |db: &Db| {
    // So seldom that the snapshots below are the ones that count.
    let settings = arena_control::ControlSettings { snapshot_every: Duration::from_millis(50), ..brisk() };
    let mut arena = Arena::start_with(db, FaultyHost::new(), settings.clone()).await;
    arena.open("a", 30).await;
    let bots = arena.fill("a", 20).await;
    arena.until_settled().await;
    let first = standing(&arena, "a").await;
    until("somebody has walked", async || standing(&arena, "a").await != first).await;
    until("all are saved", async || saved(&arena, "a").await.len() == 20).await;
    let before = standing(&arena, "a").await;
    arena.wipe().await;
    until("all are back", async || standing(&arena, "a").await.len() == 20).await;
    assert_near(&before, &standing(&arena, "a").await, 8);

    assert!(arena.stop_control().await);
    let before = saved(&arena, "a").await;
    assert_eq!(before.len(), bots.len());
    arena.host.native.shutdown().await;
    let again = Arena::start_with(db, FaultyHost::new(), settings).await;
    until("all are back", async || standing(&again, "a").await.len() == 20).await;
    assert_near(&before, &standing(&again, "a").await, 8);
    again.until_settled().await;
    again.stop().await;
});
