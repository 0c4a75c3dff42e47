use crate::support::*;
use arena_core::admission::{AdmitError, Op};
use arena_core::channel::{Mode, Status};

async fn status(store: &arena_store::Store, channel: &str) -> Status {
    store.channel(&name(channel)).await.unwrap().unwrap().channel.seats.status()
}

on_both!(draining_empties_into_the_group_and_stays_draining, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 20).await;
    act(&store, set_mode("main", Mode::Draining)).await;
    assert_eq!(loads(&store).await, expected(&[("main", 0), ("main-2", 20)]));
    act(&store, assign(bots[0], "main-2")).await;
    act(&store, Op::Rebalance { group: None }).await;
    store.enroll(&actor(), &[bot("late")]).await.unwrap();
    assert_eq!(status(&store, "main").await, Status::Draining, "no recount undoes it");
    assert_eq!(loads(&store).await, expected(&[("main", 0), ("main-2", 21)]));
    let refused = refusal(&store, assign(bots[0], "main")).await;
    assert!(matches!(refused, AdmitError::NotAccepting { status: Status::Draining, .. }), "{refused}");
    act(&store, set_mode("main", Mode::Active)).await;
    act(&store, assign(bots[0], "main")).await;
    assert_sound(&store).await;
});

on_both!(maintenance_keeps_its_bots_and_takes_nobody_in, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 3).await;
    open(&store, "side", 5).await;
    act(&store, assign(bots[0], "side")).await;
    act(&store, set_mode("main", Mode::Maintenance)).await;
    let refused = refusal(&store, assign(bots[0], "main")).await;
    assert!(matches!(refused, AdmitError::NotAccepting { status: Status::Maintenance, .. }), "{refused}");
    act(&store, set_limit("main", 2)).await;
    assert_eq!(status(&store, "main").await, Status::Maintenance, "a full one is in maintenance still");
    assert_eq!(loads(&store).await, expected(&[("main", 2), ("side", 1)]));
});

on_both!(nobody_enters_once_a_drain_has_committed, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 12).await;
    open(&store, "side", 30).await;
    for _ in 0..15 {
        act(&store, set_mode("side", Mode::Active)).await;
        at_once(13, |n| {
            let (store, bot) = (store.clone(), bots[n % 12]);
            async move {
                let op = if n == 12 { set_mode("side", Mode::Draining) } else { assign(bot, "side") };
                let outcome = store.carry_out(&actor(), op).await;
                assert!(n < 12 || outcome.is_ok(), "{outcome:?}");
            }
        })
        .await;
        assert_eq!(store.bots_in(&name("side")).await.unwrap(), []);
        assert_eq!(status(&store, "side").await, Status::Draining);
    }
    assert_eq!(store.bot_totals().await.unwrap().0, 12);
    assert_sound(&store).await;
});
