use crate::support::*;
use arena_core::admission::{AdmitError, Op};
use arena_core::bot::BotState;
use arena_core::channel::ChannelKind;
use arena_store::Observation;

on_both!(a_deleted_channel_leaves_its_bots_to_its_group, async |db| {
    let store = db.open().await;
    enroll(&store, 30).await;
    let applied = act(&store, close("main-2")).await;
    assert_eq!(applied.closed, Some(name("main-2")));
    assert_eq!(loads(&store).await.iter().map(|(_, bots)| bots).sum::<u32>(), 30);
    assert!(store.channel(&name("main-2")).await.unwrap().is_none());
    assert_eq!(refusal(&store, close("main-2")).await, AdmitError::ChannelNotFound(name("main-2")));
    assert_sound(&store).await;
});

on_both!(the_last_channel_of_a_group_leaves_its_bots_to_main, async |db| {
    let store = db.open().await;
    store
        .enroll(&actor(), &[bot_of("a", ChannelKind::Vip, None), bot_of("b", ChannelKind::Vip, None)])
        .await
        .unwrap();
    act(&store, close("vip")).await;
    assert_eq!(loads(&store).await, expected(&[("main", 2)]));
    act(&store, close("main")).await;
    assert_eq!(loads(&store).await, expected(&[("main-2", 2)]));
    assert_sound(&store).await;
});

on_both!(orphans_of_a_channel_deleted_by_hand_return_to_main, async |db| {
    let store = db.open().await;
    store
        .enroll(&actor(), &[bot_of("a", ChannelKind::Vip, None), bot_of("b", ChannelKind::Vip, None)])
        .await
        .unwrap();
    let live = all_bots(&store).await[0].clone();
    let seen = Observation {
        bot: live.id,
        epoch: live.epoch,
        state: BotState::Live,
        world: Some("w".parse().unwrap()),
    };
    store.record(&[seen]).await.unwrap();
    raw_sql(db, "DELETE FROM channels WHERE name = 'vip'").await.unwrap();
    let orphans = store.orphans(10).await.unwrap();
    assert_eq!(orphans.len(), 2);
    assert_eq!(store.orphans(1).await.unwrap().len(), 1);
    for orphan in orphans {
        act(&store, Op::Adopt { bot: orphan }).await;
    }
    assert_eq!(loads(&store).await, expected(&[("main", 2)]));
    let adopted = get(&store, live.id).await;
    assert_eq!(adopted.state, BotState::Pending);
    assert!(adopted.epoch > live.epoch);
    assert_eq!(store.orphans(10).await.unwrap(), []);
    assert_sound(&store).await;
});

on_both!(a_deleted_bot_frees_its_seat, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 3).await;
    let gone = store.delete_bot(bots[1]).await.unwrap().unwrap();
    assert_eq!(gone.id, bots[1]);
    assert_eq!(store.delete_bot(bots[1]).await.unwrap(), None);
    assert_eq!(store.bot(bots[1]).await.unwrap(), None);
    assert_eq!(loads(&store).await, expected(&[("main", 2)]));
    assert_sound(&store).await;
});
