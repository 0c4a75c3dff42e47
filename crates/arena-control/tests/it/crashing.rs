//! A crash in the middle of it: nothing lost, nothing double. A runtime that is thrown away takes every task with it,
//! wherever it is.

use crate::support::{Arena, Db, actor, bot, until};
use arena_bus::Bus;
use arena_store::{NewBot, Store};
use std::time::Duration;
use tokio::runtime::Runtime;

fn roster(bots: usize) -> Vec<NewBot> {
    (0..bots).map(|n| bot(&format!("bot-{n:04}"), None)).collect()
}

fn machine() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A store beside the one that crashes.
async fn onlooker(db: &Db) -> Store {
    Store::open(&db.options()).await.unwrap()
}

on_both!(a_crash_during_an_import_loses_and_doubles_nobody, async |db: &Db| {
    let watching = onlooker(db).await;
    for round in 0..3 {
        let first = machine();
        let options = db.options();
        first.spawn(async move {
            let store = Store::open(&options).await.unwrap();
            let host = std::sync::Arc::new(crate::support::FaultyHost::new());
            let control = arena_control::Control::start(store, host, Bus::default(), crate::support::brisk());
            let _ = control.services().bots.import(&actor(), roster(3_000)).await;
            std::future::pending::<()>().await;
        });
        until("a part is stored", async || watching.bot_totals().await.unwrap().0 > round * 1_000).await;
        first.shutdown_background();
    }
    let arena = Arena::start(db).await;
    arena.bots.import(&actor(), roster(3_000)).await.unwrap();
    arena.until_settled().await;
    assert_eq!(arena.residents().await.len(), 3_000);
    arena.stop().await;
});

on_both!(a_crash_during_healing_loses_and_doubles_nobody, async |db: &Db| {
    let watching = onlooker(db).await;
    for round in 0..4_u64 {
        let first = machine();
        let options = db.options();
        first.spawn(async move {
            let store = Store::open(&options).await.unwrap();
            let host = std::sync::Arc::new(crate::support::FaultyHost::new());
            let control = arena_control::Control::start(store, host, Bus::default(), crate::support::brisk());
            let services = control.services();
            let _ = services.bots.import(&actor(), roster(480)).await;
            loop {
                let _ = services.worlds.wipe(&actor(), None).await;
                tokio::time::sleep(Duration::from_millis(40 + 30 * round)).await;
            }
        });
        until("bots are live", async || watching.bot_totals().await.unwrap().1 > 20).await;
        first.shutdown_background();
    }
    let arena = Arena::start(db).await;
    arena.until_settled().await;
    assert_eq!(arena.residents().await.len(), 480);
    arena.stop().await;
});

on_both!(a_crash_of_the_control_plane_over_a_living_host_is_made_good, async |db: &Db| {
    let host = crate::support::FaultyHost::new();
    for round in 0..3 {
        let arena = Arena::start_with(db, host.clone(), crate::support::brisk()).await;
        arena.enroll((0..100).map(|n| bot(&format!("r{round}-{n}"), None)).collect()).await;
        let bots = arena.all_bots().await;
        for bot in bots.iter().step_by(7) {
            arena.bots.delete(&actor(), bot.id).await.unwrap();
        }
        arena.channels.delete(&actor(), bots[1].channel.as_ref().unwrap()).await.unwrap();
        drop(arena);
    }
    let arena = Arena::start_with(db, host, crate::support::brisk()).await;
    arena.until_settled().await;
    arena.stop().await;
});
