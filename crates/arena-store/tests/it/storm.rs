//! Random operations of many at once; whatever came of each, the invariants hold.

use crate::support::*;
use arena_core::BotId;
use arena_core::bot::{Bot, BotState};
use arena_store::{Observation, OpError, Store};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The same operations on every run.
fn operations(seed: u8, bots: &[BotId], count: usize) -> Vec<arena_core::admission::Op> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let any = any_op(bots.to_vec());
    (0..count).map(|_| any.new_tree(&mut runner).unwrap().current()).collect()
}

/// What a sync of everything sees at this moment: each bot live in the world of its channel.
async fn look(store: &Store) -> Vec<Observation> {
    let live = |bot: Bot| {
        let world = bot.channel.map(|channel| channel.as_str().parse().unwrap());
        Observation { bot: bot.id, epoch: bot.epoch, state: BotState::Live, world }
    };
    all_bots(store).await.into_iter().map(live).collect()
}

on_both!(eight_at_once_break_no_rule, async |db| {
    let stores = [db.open().await, db.open().await];
    let bots = enroll(&stores[0], 60).await;
    at_once(8, |n| {
        let store = stores[n % 2].clone();
        let bots = bots.clone();
        let ops = operations(u8::try_from(n).unwrap(), &bots, 60);
        async move {
            for (round, op) in ops.into_iter().enumerate() {
                let described = format!("{op:?}");
                let seen = look(&store).await;
                match store.carry_out(&actor(), op).await {
                    Ok(_) | Err(OpError::Refused(_)) => {}
                    Err(OpError::Store(error)) => panic!("{described}: {error:?}"),
                }
                // Recorded late, as a slow sync would: what has moved meanwhile must be left alone.
                store.record(&seen).await.expect("recording what was seen late");
                if round % 20 == 19 {
                    store.enroll(&actor(), &roster(60 + n)).await.expect("enrolling those that are new");
                    store.delete_bot(bots[n]).await.expect("deleting a bot");
                }
            }
        }
    })
    .await;
    let store = &stores[0];
    assert_sound(store).await;
    let left = all_bots(store).await;
    assert!(bots[8..].iter().all(|bot| left.iter().any(|l| l.id == *bot)), "a bot was lost");
    // A bot that is live was seen so under its present assignment.
    for bot in left.iter().filter(|bot| bot.state == BotState::Live) {
        assert_eq!(
            bot.world.as_ref().map(|world| world.as_str()),
            bot.channel.as_ref().map(|channel| channel.as_str()),
            "{bot:?}"
        );
    }
});
