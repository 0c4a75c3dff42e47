//! Bodies and worlds that nobody wants any more are ended, and nobody else.

use crate::support::{Arena, Call, Db, Fault, FaultyHost, actor, brisk, name, until};
use arena_control::ControlSettings;
use arena_core::BotId;
use arena_worlds::{Body, BodyKind, CreateWorld, WorldHost};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

fn sweeping() -> ControlSettings {
    ControlSettings { sync_every: Duration::from_millis(100), ..brisk() }
}

fn stranger(n: u32) -> Body {
    let bot: BotId = format!("{:032x}", u128::from(n) + 0xf000).parse().unwrap();
    let name = format!("Stranger {n}");
    Body { bot, kind: BodyKind::Bot, epoch: 1, name, home_zone: None, traits: Vec::new(), position: None }
}

on_both!(bodies_without_an_assignment_are_removed, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3)]).await;
    let world = arena.host.native.find(&name("a")).await.unwrap().unwrap().world;
    arena.host.native.join(&world, (0..3).map(stranger).collect()).await.unwrap();
    assert_eq!(arena.residents_of("a").await.len(), 6);
    arena.sync("a").await;
    arena.until_settled().await;
    let tick = async || arena.host.native.list().await.unwrap()[0].tick;
    let then = tick().await;
    until("the engine has gone on", async || tick().await > then + 5).await;
    assert_eq!(arena.residents_of("a").await.len(), 3, "removed through the engine, they do not come back");
    arena.stop().await;
});

on_both!(a_deleted_bot_takes_its_body_along, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3)]).await;
    let bot = arena.residents_of("a").await[0];
    arena.bots.delete(&actor(), bot).await.unwrap();
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 2);
    assert_eq!(arena.bots.delete(&actor(), bot).await.unwrap_err().code(), "bot_not_found");
    arena.stop().await;
});

on_both!(a_removed_bot_leaves_its_world_and_waits_for_an_assignment, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3)]).await;
    let bot = arena.residents_of("a").await[0];
    arena.channels.remove(&actor(), &name("a"), bot).await.unwrap();
    until("its body is gone", async || !arena.residents().await.contains_key(&bot)).await;
    assert!(arena.why(bot).await.contains("not assigned"), "{}", arena.why(bot).await);
    arena.bots.assign(&actor(), bot, None).await.unwrap();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_deleted_channel_takes_its_world_along_and_its_bots_live_elsewhere, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 5), ("a-2", 5)]).await;
    let applied = arena.channels.delete(&actor(), &name("a")).await.unwrap();
    assert_eq!(applied.moves.len(), 5);
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a-2").await.len(), 10);
    assert_eq!(arena.host.native.list().await.unwrap().len(), 1);
    arena.channels.delete(&actor(), &name("a-2")).await.unwrap();
    arena.until_settled().await;
    assert_eq!(arena.residents_of("main").await.len(), 10);
    arena.stop().await;
});

on_both!(a_channel_whose_name_is_used_again_gets_a_world_of_its_own, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("main", 2), ("a", 3)]).await;
    let old = arena.host.native.find(&name("a")).await.unwrap().unwrap();
    arena.channels.delete(&actor(), &name("a")).await.unwrap();
    arena.open("a", 30).await;
    let bot = arena.residents_of("main").await[0];
    arena.move_to(bot, "a").await;
    arena.until_settled().await;
    let new = arena.host.native.find(&name("a")).await.unwrap().unwrap();
    assert!(new.world == old.world || new.epoch > old.epoch);
    assert_eq!(arena.residents_of("a").await, [bot]);
    arena.stop().await;
});

on_both!(a_name_used_again_before_anybody_noticed_the_deletion_is_recorded_anew, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("main", 2), ("a", 3)]).await;
    let gate = Arc::new(Semaphore::new(0));
    arena.host.fail(&[Call::Residents], Some("a"), Fault::Hold(gate.clone()));
    let calls = arena.host.counted("a");
    arena.channels.sync(&name("a")).await.unwrap();
    until("a sync of the old channel runs", async || arena.host.counted("a") > calls).await;
    arena.channels.delete(&actor(), &name("a")).await.unwrap();
    arena.open("a", 30).await;
    arena.move_to(arena.residents_of("main").await[0], "a").await;
    arena.host.mend();
    gate.add_permits(10);
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(worlds_of_channels_that_are_not_there_are_ended, async |db: &Db| {
    let arena = Arena::start_with(db, FaultyHost::new(), sweeping()).await;
    arena.open("a", 30).await;
    arena.fill("a", 2).await;
    arena.until_settled().await;
    arena.host.native.create(CreateWorld { channel: name("nobody-s"), epoch: 1 }).await.unwrap();
    arena.until_settled().await;
    assert_eq!(arena.host.native.list().await.unwrap().len(), 1);
    arena.stop().await;
});

on_both!(a_world_that_could_not_be_ended_with_its_channel_is_ended_later, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("main", 1), ("a", 2)]).await;
    arena.host.fail(&[Call::Destroy, Call::Find], Some("a"), Fault::Status(500));
    let calls = arena.host.counted("a");
    arena.channels.delete(&actor(), &name("a")).await.unwrap();
    until("it was tried", async || arena.host.counted("a") > calls + 2).await;
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(orphans_of_a_channel_deleted_by_hand_return_to_main, async |db: &Db| {
    let arena = Arena::start_with(db, FaultyHost::new(), sweeping()).await;
    for channel in ["main", "a"] {
        arena.open(channel, 30).await;
        arena.fill(channel, 5).await;
    }
    arena.until_settled().await;
    db.raw_sql("DELETE FROM channels WHERE name = 'a'").await;
    until("all are in main", async || arena.residents_of("main").await.len() == 10).await;
    arena.until_settled().await;
    arena.stop().await;
});
