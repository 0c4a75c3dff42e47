//! A host that lies is believed as little as possible, and all is well once it tells the truth.

use crate::support::{Arena, Call, Db, Fault, FaultyHost, brisk, name, until};
use arena_control::{ControlSettings, Source};
use arena_core::bot::BotState;
use arena_worlds::WorldHost;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

on_both!(a_host_that_says_a_living_world_is_gone_is_not_asked_without_end, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3), ("b", 3)]).await;
    arena.host.fail(&[Call::Residents], Some("a"), Fault::SaysGone);
    let calls = arena.host.counted("a");
    arena.channels.sync(&name("a")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let asked = arena.host.counted("a") - calls;
    assert!((6..100).contains(&asked), "{asked} calls in 0.6 s");
    arena.host.mend();
    arena.until_settled().await;
    arena.sync("b").await;
    arena.stop().await;
});

on_both!(a_living_world_called_gone_is_found_again, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3)]).await;
    let world = arena.host.native.find(&name("a")).await.unwrap().unwrap().world;
    arena.host.fail(&[Call::Validate, Call::Residents], Some("a"), Fault::SaysGone);
    arena.channels.sync(&name("a")).await.unwrap();
    until("it is believed", async || arena.store.placement(&name("a")).await.unwrap().world.is_none()).await;
    arena.host.mend();
    arena.until_settled().await;
    let found = arena.host.native.find(&name("a")).await.unwrap().unwrap().world;
    let recorded = arena.store.placement(&name("a")).await.unwrap().world;
    assert_eq!(recorded, Some(found.clone()));
    assert!(found == world || arena.host.native.list().await.unwrap().len() == 1);
    arena.stop().await;
});

// The one who calls a bot out is not the one whose world is called gone: that one has to be told.
on_both!(a_world_called_gone_by_another_channel_s_sync_is_looked_at, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3), ("b", 1)]).await;
    let moved = arena.residents_of("a").await[0];
    let gate = Arc::new(Semaphore::new(0));
    arena.host.fail(&[Call::Residents], Some("a"), Fault::Hold(gate.clone()));
    arena.host.fail(&[Call::Leave], Some("a"), Fault::SaysGone);
    arena.move_to(moved, "b").await;
    until("it is believed", async || arena.host.joins_of(moved).len() > 1).await;
    until("b has recorded it", async || arena.bot(moved).await.state == BotState::Live).await;
    arena.host.mend();
    gate.add_permits(10);
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_dead_world_called_valid_is_replaced, async |db: &Db| {
    let (events, _keep) = tokio::sync::broadcast::channel(8);
    let arena = Arena::start_with(db, FaultyHost::telling(events), brisk()).await;
    arena.open("a", 30).await;
    arena.fill("a", 3).await;
    arena.until_settled().await;
    let dead = arena.host.native.find(&name("a")).await.unwrap().unwrap().world;
    arena.host.fail(&[Call::Validate], Some("a"), Fault::SaysValid);
    arena.host.native.destroy(&dead).await.unwrap();
    let found = arena.channels.discover(&name("a"), true).await.unwrap();
    assert_eq!((found.world, found.source), (dead, Source::Known), "nobody can tell yet");
    arena.channels.sync(&name("a")).await.unwrap();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_host_that_names_another_channel_s_world_does_not_make_two_share_it, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3)]).await;
    arena.host.fail(&[Call::Find], Some("b"), Fault::Names(name("a")));
    arena.open("b", 30).await;
    arena.fill("b", 3).await;
    arena.until_settled().await;
    assert_eq!(arena.host.native.list().await.unwrap().len(), 2);
    arena.stop().await;
});

on_both!(a_host_that_creates_one_world_for_all_does_not_make_two_share_it, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3)]).await;
    arena.host.fail(&[Call::Create], Some("b"), Fault::Names(name("a")));
    arena.open("b", 30).await;
    arena.fill("b", 3).await;
    until("b says so", async || {
        arena.trouble("b").await.is_some_and(|trouble| trouble.contains("gave b the world of a"))
    })
    .await;
    assert_eq!(arena.residents_of("a").await.len(), 3, "the other channel's world lives on");
    assert_eq!(arena.store.placement(&name("b")).await.unwrap().world, None);
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(residents_that_are_not_there_are_put_there_once_the_host_tells_the_truth, async |db: &Db| {
    let settings = ControlSettings { sync_every: Duration::from_millis(100), ..brisk() };
    let arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    arena.open("a", 30).await;
    arena.fill("a", 2).await;
    arena.until_settled().await;
    let phantom: BTreeSet<_> = ["7".repeat(32).parse().unwrap()].into();
    arena.host.fail(&[Call::Residents], Some("a"), Fault::Shows(phantom));
    let late = arena.fill("a", 3).await[2];
    until("the late one is live", async || arena.state(late).await == BotState::Live).await;
    arena.host.fail(&[Call::Residents], Some("a"), Fault::Shows([late].into()));
    let world = arena.host.native.find(&name("a")).await.unwrap().unwrap().world;
    arena.host.native.leave(&world, &[(late, None)]).await.unwrap();
    arena.sync("a").await;
    assert!(!arena.residents_of("a").await.contains(&late), "nobody can tell yet");
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(residents_that_are_hidden_are_not_doubled_and_are_live_once_they_are_shown, async |db: &Db| {
    let settings = ControlSettings { sync_every: Duration::from_millis(100), ..brisk() };
    let arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    arena.open("a", 30).await;
    let bots = arena.fill("a", 3).await;
    arena.until_settled().await;
    arena.host.fail(&[Call::Residents], Some("a"), Fault::Hides([bots[0]].into()));
    until("it is given up", async || matches!(arena.state(bots[0]).await, BotState::Failed { .. })).await;
    assert!(arena.why(bots[0]).await.contains("it is not there"), "{}", arena.why(bots[0]).await);
    assert_eq!(arena.residents_of("a").await.len(), 3);
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_bot_is_not_live_on_the_host_s_word_alone, async |db: &Db| {
    for fault in [Fault::Pretends, Fault::Forgets] {
        let arena = Arena::start(db).await;
        let channel = if matches!(fault, Fault::Pretends) { "a" } else { "b" };
        arena.open(channel, 30).await;
        arena.host.fail(&[Call::Join], None, fault);
        let bot = arena.fill(channel, 1).await[0];
        until("it is tried again", async || arena.host.joins_of(bot).len() > 1).await;
        assert_ne!(arena.state(bot).await, BotState::Live);
        arena.host.mend();
        arena.until_settled().await;
        arena.stop().await;
    }
});

on_both!(an_answer_that_is_lost_doubles_nobody, async |db: &Db| {
    let settings = ControlSettings { host_timeout: Duration::from_millis(200), ..brisk() };
    let arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    arena.host.fail(&[Call::Create, Call::Join, Call::Leave], None, Fault::AnswerLost);
    for channel in ["a", "b"] {
        arena.open(channel, 30).await;
        arena.fill(channel, 5).await;
    }
    until("all are there all the same", async || arena.residents().await.len() == 10).await;
    arena.until_settled().await;
    for bot in arena.residents_of("a").await {
        arena.move_to(bot, "b").await;
    }
    until("they have left", async || arena.residents_of("a").await.is_empty()).await;
    arena.host.mend();
    arena.until_settled().await;
    assert_eq!(arena.residents_of("b").await.len(), 10);
    arena.stop().await;
});
