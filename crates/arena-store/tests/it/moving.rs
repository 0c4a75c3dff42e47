use crate::support::*;
use arena_core::admission::{AdmitError, Op};
use arena_core::bot::BotState;
use arena_core::channel::Status;
use arena_store::Observation;

on_both!(a_moved_bot_is_counted_where_it_is_and_starts_afresh, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 2).await;
    open(&store, "side", 2).await;
    act(&store, set_limit("main", 2)).await;
    let full = store.channel(&name("main")).await.unwrap().unwrap().channel.seats;
    assert_eq!(full.status(), Status::Full);
    let before = get(&store, bots[0]).await;
    let live = Observation {
        bot: bots[0],
        epoch: before.epoch,
        state: BotState::Live,
        world: Some("old".parse().unwrap()),
    };
    store.record(&[live]).await.unwrap();

    act(&store, assign(bots[0], "side")).await;

    assert_eq!(loads(&store).await, expected(&[("main", 1), ("side", 1)]));
    let main = store.channel(&name("main")).await.unwrap().unwrap().channel.seats;
    assert_eq!(main.status(), Status::Active, "FULL is not stuck");
    let after = get(&store, bots[0]).await;
    assert!(after.epoch > before.epoch);
    assert_eq!((after.state, after.channel), (BotState::Pending, Some(name("side"))));
    assert_eq!(after.world, Some("old".parse().unwrap()), "its old body must be recalled");
    assert_sound(&store).await;
});

on_both!(a_move_to_where_it_is_changes_nothing, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 1).await;
    let before = get(&store, bots[0]).await;
    assert!(act(&store, assign(bots[0], "main")).await.moves.is_empty());
    assert_eq!(get(&store, bots[0]).await, before);
});

on_both!(a_failed_bot_is_tried_again_elsewhere_and_a_disabled_one_stays_out, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 2).await;
    open(&store, "side", 5).await;
    let failed = Observation {
        bot: bots[0],
        epoch: 1,
        state: BotState::Failed { reason: "world is full".to_owned() },
        world: None,
    };
    store.record(&[failed]).await.unwrap();
    store.set_enabled(bots[1], false).await.unwrap();
    act(&store, Op::Migrate { from: name("main"), to: name("side"), bots: None }).await;
    assert_eq!(get(&store, bots[0]).await.state, BotState::Pending);
    assert_eq!(get(&store, bots[1]).await.state, BotState::Disabled);
});

on_both!(a_migration_moves_all_or_none, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 5).await;
    open(&store, "tiny", 4).await;
    let all = Op::Migrate { from: name("main"), to: name("tiny"), bots: None };
    let refused = refusal(&store, all).await;
    assert!(matches!(refused, AdmitError::ChannelFull { free: 4, wanted: 5, .. }), "{refused}");
    assert_eq!(loads(&store).await, expected(&[("main", 5), ("tiny", 0)]));
    let some = |bots: &[_]| Op::Migrate { from: name("main"), to: name("tiny"), bots: Some(bots.to_vec()) };
    act(&store, some(&bots[..2])).await;
    let refused = refusal(&store, some(&[bots[3], bots[0]])).await;
    assert!(matches!(refused, AdmitError::NotInChannel { bot, .. } if bot == bots[0]), "{refused}");
    assert_eq!(loads(&store).await, expected(&[("main", 3), ("tiny", 2)]));
    assert_sound(&store).await;
});

on_both!(two_full_channels_swap_through_a_batch, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 2).await;
    open(&store, "side", 1).await;
    act(&store, assign(bots[1], "side")).await;
    act(&store, set_limit("main", 1)).await;
    let order = |op| arena_store::Order::new(&actor(), op);
    let orders = [
        order(Op::Remove { bot: bots[0], from: None }),
        order(assign(bots[1], "main")),
        order(assign(bots[0], "side")),
    ];
    assert!(store.carry_out_all(&orders).await.unwrap().iter().all(Result::is_ok));
    assert_eq!(get(&store, bots[0]).await.channel, Some(name("side")));
    assert_eq!(get(&store, bots[1]).await.channel, Some(name("main")));
    assert_sound(&store).await;
});

on_both!(rebalancing_evens_out_and_then_rests, async |db| {
    let store = db.open().await;
    enroll(&store, 24).await;
    open(&store, "main-2", 30).await;
    open(&store, "main-3", 30).await;
    let rebalance = Op::Rebalance { group: Some("main".parse().unwrap()) };
    assert_eq!(act(&store, rebalance.clone()).await.moves.len(), 16);
    assert_eq!(loads(&store).await, expected(&[("main", 8), ("main-2", 8), ("main-3", 8)]));
    assert!(act(&store, rebalance).await.moves.is_empty());
    assert!(act(&store, Op::Rebalance { group: None }).await.moves.is_empty());
    assert_sound(&store).await;
});
