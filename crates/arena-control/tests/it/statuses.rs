//! Channels of every status are synced.

use crate::support::{Arena, Db, actor, bot, name};
use arena_core::bot::BotState;
use arena_core::channel::{Mode, Status};

async fn status(arena: &Arena, channel: &str) -> Status {
    arena.channels.get(&name(channel)).await.unwrap().channel.seats.status()
}

on_both!(a_full_channel_goes_on_syncing_and_healing, async |db: &Db| {
    let arena = Arena::start(db).await;
    arena.open("a", 4).await;
    let bots = arena.fill("a", 4).await;
    arena.until_settled().await;
    assert_eq!(status(&arena, "a").await, Status::Full);
    arena.wipe().await;
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 4);
    arena.bots.delete(&actor(), bots[0]).await.unwrap();
    arena.until_settled().await;
    assert_eq!(status(&arena, "a").await, Status::Active);
    arena.enroll(vec![bot("late", Some("a"))]).await;
    arena.until_settled().await;
    assert_eq!(status(&arena, "a").await, Status::Full);
    assert_eq!(arena.residents_of("a").await.len(), 4);
    arena.stop().await;
});

on_both!(a_channel_in_maintenance_is_synced_and_keeps_its_bots, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 5), ("b", 1)]).await;
    arena.set_mode("a", Mode::Maintenance).await;
    arena.wipe().await;
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 5);
    let other = arena.residents_of("b").await[0];
    let refused = arena.channels.assign(&actor(), &name("a"), other).await.unwrap_err();
    assert_eq!(refused.code(), "channel_not_accepting");
    assert_eq!(status(&arena, "a").await, Status::Maintenance, "only an operator ends it");
    arena.stop().await;
});

on_both!(a_draining_channel_empties_and_so_does_its_world, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 5), ("a-2", 5)]).await;
    arena.set_mode("a", Mode::Draining).await;
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await, []);
    assert_eq!(arena.residents_of("a-2").await.len(), 10);
    arena.wipe().await;
    arena.sync("a").await;
    arena.until_settled().await;
    assert_eq!(status(&arena, "a").await, Status::Draining, "only an operator ends it");
    arena.set_mode("a", Mode::Active).await;
    let bot = arena.residents_of("a-2").await[0];
    arena.move_to(bot, "a").await;
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_disabled_bot_stays_out_until_it_is_enabled, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3), ("b", 1)]).await;
    let bot = arena.residents_of("a").await[0];
    arena.bots.set_enabled(&actor(), bot, false).await.unwrap();
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 2);
    arena.wipe().await;
    arena.until_settled().await;
    assert_eq!(arena.state(bot).await, BotState::Disabled);
    arena.move_to(bot, "b").await;
    arena.until_settled().await;
    assert_eq!(arena.residents_of("b").await.len(), 1, "a move does not enable it");
    arena.bots.set_enabled(&actor(), bot, true).await.unwrap();
    arena.until_settled().await;
    assert!(arena.residents_of("b").await.contains(&bot));
    arena.stop().await;
});

on_both!(a_bot_is_not_created_in_a_channel_that_takes_nobody_in, async |db: &Db| {
    let arena = Arena::start(db).await;
    arena.open("a", 1).await;
    arena.bots.create(&actor(), bot("first", Some("a"))).await.unwrap();
    let code = async |new| arena.bots.create(&actor(), new).await.unwrap_err().code();
    assert_eq!(code(bot("second", Some("a"))).await, "channel_full");
    arena.set_mode("a", Mode::Maintenance).await;
    assert_eq!(code(bot("second", Some("a"))).await, "channel_not_accepting");
    assert_eq!(code(bot("second", Some("gone"))).await, "channel_not_found");
    assert_eq!(code(bot("first", None)).await, "name_taken");
    arena.stop().await;
});
