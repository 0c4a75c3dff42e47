//! A moved bot is a resident of at most one world at every moment, and leaves no ghost.

use crate::support::{Arena, Call, Db, Dice, Fault, actor, bot, until};
use arena_core::BotId;
use arena_core::bot::BotState;
use arena_worlds::WorldHost;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Semaphore;

/// Looks into every world and back again. Nobody can be in one world first and last and in another in between, unless
/// it was assigned anew meanwhile.
async fn look_for_doubles(arena: &Arena, bots: &[BotId]) {
    let epochs = async || {
        let all = arena.all_bots().await;
        all.into_iter().map(|bot| (bot.id, bot.epoch)).collect::<BTreeMap<_, _>>()
    };
    let before = epochs().await;
    let worlds: Vec<_> = arena.host.native.list().await.unwrap();
    let mut looks: Vec<BTreeSet<BotId>> = Vec::new();
    for world in worlds.iter().chain(worlds.iter().rev()) {
        looks.push(arena.host.native.residents(&world.hosted.world).await.unwrap_or_default());
    }
    let after = epochs().await;
    for bot in bots.iter().filter(|bot| before.get(bot) == after.get(bot)) {
        let seen: Vec<usize> = (0..looks.len()).filter(|n| looks[*n].contains(bot)).collect();
        let nested = |outer: usize| {
            let back = looks.len() - 1 - outer;
            seen.contains(&outer) && seen.contains(&back) && seen.iter().any(|n| outer < *n && *n < back)
        };
        assert!(!(0..worlds.len()).any(nested), "{bot} is in two worlds: {seen:?}");
    }
}

async fn move_at_random(arena: &Arena, seed: u64, moves: usize) {
    let mut bots = arena.fill("a", 4).await;
    bots.extend(arena.fill("b", 4).await);
    arena.until_settled().await;
    let mut dice = Dice::new(seed);
    let moving = AtomicBool::new(true);
    let mover = async {
        for n in 0..moves {
            let channel = ["a", "b", "c"][dice.roll(3)];
            arena.move_to(bots[dice.roll(bots.len())], channel).await;
            match dice.roll(12) {
                0 => drop(arena.wipe().await),
                1 => arena.channels.sync(&channel.parse().unwrap()).await.unwrap(),
                2 => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
                3 if n % 3 == 0 => arena.host.fail(&[Call::Join], Some(channel), Fault::AnswerLost),
                _ => arena.host.mend(),
            }
        }
        arena.host.mend();
        moving.store(false, Ordering::SeqCst);
    };
    let watcher = async {
        while moving.load(Ordering::SeqCst) {
            look_for_doubles(arena, &bots).await;
        }
    };
    tokio::join!(mover, watcher);
    arena.until_settled().await;
}

on_both!(bots_moved_at_random_are_never_in_two_worlds, async |db: &Db| {
    let settings = arena_control::ControlSettings {
        host_timeout: std::time::Duration::from_millis(300),
        ..crate::support::brisk()
    };
    let arena = Arena::start_with(db, crate::support::FaultyHost::new(), settings).await;
    for channel in ["a", "b", "c"] {
        arena.open(channel, 30).await;
    }
    move_at_random(&arena, 11, 200).await;
    arena.stop().await;
});

on_both!(a_bot_moved_between_intent_and_entrance_does_not_enter_the_old_world, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 1), ("b", 1)]).await;
    let gate = Arc::new(Semaphore::new(0));
    arena.host.fail(&[Call::Join], Some("a"), Fault::Hold(gate.clone()));
    let moved = arena.enroll(vec![bot("moved", Some("a"))]).await[0];
    until("it is about to enter", async || !arena.host.joins_of(moved).is_empty()).await;
    assert_eq!(arena.state(moved).await, BotState::Deploying);
    arena.move_to(moved, "b").await;
    until("it is live in b", async || arena.residents_of("b").await.contains(&moved)).await;
    gate.add_permits(100);
    arena.sync("a").await;
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 1);
    arena.stop().await;
});

on_both!(a_world_wiped_between_intent_and_entrance_loses_nobody, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 2)]).await;
    let gate = Arc::new(Semaphore::new(0));
    arena.host.fail(&[Call::Join], Some("a"), Fault::Hold(gate.clone()));
    let late = arena.enroll(vec![bot("late", Some("a"))]).await[0];
    until("it is about to enter", async || !arena.host.joins_of(late).is_empty()).await;
    arena.wipe().await;
    gate.add_permits(100);
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(bots_that_come_from_a_world_that_does_not_answer_wait_and_the_others_do_not, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3), ("b", 1)]).await;
    let stuck = arena.residents_of("a").await;
    arena.host.fail(&[Call::Leave], Some("a"), Fault::Status(503));
    for bot in &stuck {
        arena.move_to(*bot, "b").await;
    }
    let free = arena.enroll(vec![bot("free", Some("b"))]).await[0];
    until("the other one is live", async || arena.state(free).await == BotState::Live).await;
    until("b says what is wrong", async || {
        arena.trouble("b").await.is_some_and(|trouble| trouble.contains("cannot be called out of world"))
    })
    .await;
    let residents = arena.residents().await;
    for bot in &stuck {
        assert_eq!(residents[bot], ["a".parse().unwrap()], "still in its old world, and only there");
    }
    arena.host.mend();
    arena.until_settled().await;
    assert_eq!(arena.residents_of("b").await.len(), 5);
    arena.stop().await;
});

on_both!(a_migration_and_a_rebalance_leave_no_ghost, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 10), ("a-2", 0)]).await;
    arena.channels.rebalance(&actor(), None).await.unwrap();
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a-2").await.len(), 5);
    let all = arena.channels.migrate(&actor(), &"a-2".parse().unwrap(), &"a".parse().unwrap(), None).await;
    assert_eq!(all.unwrap().moves.len(), 5);
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a-2").await, []);
    arena.stop().await;
});
