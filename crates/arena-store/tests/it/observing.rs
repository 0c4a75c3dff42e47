use crate::support::*;
use arena_core::bot::{Bot, BotState};
use arena_core::{BotId, Timestamp};
use arena_store::Observation;
use std::collections::BTreeSet;

fn seen(bot: &Bot, state: BotState, world: Option<&str>) -> Observation {
    Observation { bot: bot.id, epoch: bot.epoch, state, world: world.map(|world| world.parse().unwrap()) }
}

fn backoff(reason: &str) -> BotState {
    BotState::Backoff { until: Timestamp(5_000), attempt: 3, reason: reason.to_owned() }
}

fn failed(reason: &str) -> BotState {
    BotState::Failed { reason: reason.to_owned() }
}

on_both!(every_state_is_kept, async |db| {
    let store = db.open().await;
    enroll(&store, 6).await;
    let bots = all_bots(&store).await;
    let states = [
        BotState::Pending,
        BotState::Deploying,
        BotState::Live,
        backoff("busy"),
        failed("denied"),
        BotState::Disabled,
    ];
    let batch: Vec<_> =
        bots.iter().zip(&states).map(|(bot, state)| seen(bot, state.clone(), Some("w"))).collect();
    let recorded = store.record(&batch).await.unwrap();
    assert_eq!(recorded, bots.iter().map(|bot| bot.id).collect::<BTreeSet<BotId>>());
    let stored = all_bots(&store).await;
    assert_eq!(stored.iter().map(|bot| bot.state.clone()).collect::<Vec<_>>(), states);
    assert!(stored.iter().all(|bot| bot.world == Some("w".parse().unwrap())));
    let counts = store.state_counts().await.unwrap().remove(&name("main")).unwrap();
    assert_eq!((counts.live, counts.backoff, counts.failed, counts.disabled), (1, 1, 1, 1));
    assert_eq!(store.bot_totals().await.unwrap(), (6, 1));
});

on_both!(a_batch_whose_optional_values_are_all_missing_is_recorded, async |db| {
    let store = db.open().await;
    enroll(&store, 3).await;
    let batch: Vec<_> = all_bots(&store).await.iter().map(|bot| seen(bot, BotState::Pending, None)).collect();
    assert_eq!(store.record(&batch).await.unwrap().len(), 3);
    assert!(store.record(&[]).await.unwrap().is_empty());
});

on_both!(what_was_seen_of_an_older_assignment_is_dropped, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 2).await;
    open(&store, "side", 5).await;
    let before = all_bots(&store).await;
    act(&store, assign(bots[0], "side")).await;
    let batch: Vec<_> = before.iter().map(|bot| seen(bot, BotState::Live, Some("w"))).collect();
    assert_eq!(store.record(&batch).await.unwrap(), BTreeSet::from([bots[1]]));
    let moved = get(&store, bots[0]).await;
    assert_eq!((moved.state, moved.world), (BotState::Pending, None));
    for change in [false, true] {
        let before = get(&store, bots[1]).await;
        store.set_enabled(bots[1], change).await.unwrap();
        assert!(store.record(&[seen(&before, BotState::Live, None)]).await.unwrap().is_empty());
    }
});

on_both!(enabling_and_disabling_start_afresh, async |db| {
    let store = db.open().await;
    let bot = enroll(&store, 1).await[0];
    let disabled = store.set_enabled(bot, false).await.unwrap().unwrap();
    assert_eq!((disabled.state, disabled.channel), (BotState::Disabled, Some(name("main"))));
    assert_eq!(store.set_enabled(bot, false).await.unwrap().unwrap().epoch, disabled.epoch);
    assert_eq!(store.retry(bot).await.unwrap().unwrap().state, BotState::Disabled);
    let enabled = store.set_enabled(bot, true).await.unwrap().unwrap();
    assert_eq!(enabled.state, BotState::Pending);
    assert!(enabled.epoch > disabled.epoch);
    assert_eq!(store.set_enabled(BotId(uuid::Uuid::nil()), true).await.unwrap(), None);
});

on_both!(a_retry_starts_afresh_what_failed_and_leaves_who_is_live, async |db| {
    let store = db.open().await;
    enroll(&store, 4).await;
    let bots = all_bots(&store).await;
    let states = [backoff("busy"), failed("denied"), BotState::Live, BotState::Disabled];
    let batch: Vec<_> = bots.iter().zip(states).map(|(bot, state)| seen(bot, state, None)).collect();
    store.record(&batch).await.unwrap();
    assert_eq!(store.retry_channel(&name("main")).await.unwrap(), 2);
    let after: Vec<_> = all_bots(&store).await.into_iter().map(|bot| bot.state).collect();
    assert_eq!(after, [BotState::Pending, BotState::Pending, BotState::Live, BotState::Disabled]);
    let live = store.retry(bots[2].id).await.unwrap().unwrap();
    assert_eq!((live.state, live.epoch), (BotState::Live, bots[2].epoch));
});

on_both!(a_world_that_is_gone_is_cleared_from_its_bots, async |db| {
    let store = db.open().await;
    enroll(&store, 6).await;
    let bots = all_bots(&store).await;
    let states = [
        BotState::Live,
        BotState::Deploying,
        backoff("busy"),
        failed("denied"),
        BotState::Disabled,
        BotState::Live,
    ];
    let worlds = ["w", "w", "w", "w", "w", "other"];
    let batch: Vec<_> = bots
        .iter()
        .zip(&states)
        .zip(worlds)
        .map(|((bot, state), world)| seen(bot, state.clone(), Some(world)))
        .collect();
    store.record(&batch).await.unwrap();
    assert_eq!(store.clear_world(&"w".parse().unwrap()).await.unwrap(), 5);
    let after = all_bots(&store).await;
    let expected = [
        BotState::Pending,
        BotState::Pending,
        backoff("busy"),
        failed("denied"),
        BotState::Disabled,
        BotState::Live,
    ];
    assert_eq!(after.iter().map(|bot| bot.state.clone()).collect::<Vec<_>>(), expected);
    assert!(after[..5].iter().all(|bot| bot.world.is_none()));
    assert_eq!(after[5].world, Some("other".parse().unwrap()));
    assert_eq!(store.clear_world(&"w".parse().unwrap()).await.unwrap(), 0);
});

on_both!(residents_are_forgotten_of_the_named_world_only_and_only_if_they_are_not_back_in_it, async |db| {
    let store = db.open().await;
    let ids = enroll(&store, 5).await;
    let bots = all_bots(&store).await;
    use BotState::{Deploying, Live, Pending};
    let states = [("a", Pending), ("a", Pending), ("b", Pending), ("a", Live), ("a", Deploying)];
    let batch: Vec<_> =
        bots.iter().zip(states).map(|(bot, (world, state))| seen(bot, state, Some(world))).collect();
    store.record(&batch).await.unwrap();
    store.forget_residents(&"a".parse().unwrap(), &[ids[0], ids[2], ids[3], ids[4]]).await.unwrap();
    store.forget_residents(&"a".parse().unwrap(), &[]).await.unwrap();
    let worlds: Vec<_> =
        all_bots(&store).await.into_iter().map(|bot| bot.world.map(|world| world.to_string())).collect();
    let known = ["a", "b", "a", "a"].map(|world| Some(world.to_owned()));
    assert_eq!((&worlds[0], &worlds[1..]), (&None, &known[..]));
});

on_both!(a_hosts_hostile_error_message_is_recorded, async |db| {
    let store = db.open().await;
    enroll(&store, 2).await;
    let bots = all_bots(&store).await;
    let batch = [seen(&bots[0], backoff("a\0b"), None), seen(&bots[1], failed("c\0"), None)];
    assert_eq!(store.record(&batch).await.unwrap().len(), 2);
    let after: Vec<_> = all_bots(&store).await.into_iter().map(|bot| bot.state).collect();
    assert_eq!(after, [backoff("a\u{FFFD}b"), failed("c\u{FFFD}")]);
});

on_both!(thousands_are_recorded_in_one_call, async |db| {
    let store = db.open().await;
    store.enroll(&actor(), &roster(2_100)).await.unwrap();
    let batch: Vec<_> =
        all_bots(&store).await.iter().map(|bot| seen(bot, BotState::Live, Some("w"))).collect();
    assert_eq!(store.record(&batch).await.unwrap().len(), 2_100);
    assert_eq!(store.bot_totals().await.unwrap(), (2_100, 2_100));
});
