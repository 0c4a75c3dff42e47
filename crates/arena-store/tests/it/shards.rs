use crate::support::*;
use arena_core::admission::{AdmitError, Op};
use arena_core::channel::ChannelKind;
use std::collections::BTreeSet;

fn unnamed(kind: ChannelKind) -> Op {
    Op::Open { name: None, kind, region: None, max_bots: None }
}

on_both!(a_deleted_shards_number_is_not_taken_again, async |db| {
    let store = db.open().await;
    for _ in 0..3 {
        act(&store, unnamed(ChannelKind::Main)).await;
    }
    act(&store, close("main-2")).await;
    assert_eq!(act(&store, unnamed(ChannelKind::Main)).await.opened, [name("main-4")]);
    act(&store, close("main-4")).await;
    assert_eq!(act(&store, unnamed(ChannelKind::Main)).await.opened, [name("main-5")]);
    assert_sound(&store).await;
});

on_both!(a_second_unnamed_vip_channel_is_the_next_shard, async |db| {
    let store = db.open().await;
    assert_eq!(act(&store, unnamed(ChannelKind::Vip)).await.opened, [name("vip")]);
    assert_eq!(act(&store, unnamed(ChannelKind::Vip)).await.opened, [name("vip-2")]);
    let taken = Op::Open { name: Some(name("vip-2")), kind: ChannelKind::Vip, region: None, max_bots: None };
    assert_eq!(refusal(&store, taken).await, AdmitError::ChannelExists(name("vip-2")));
});

on_both!(channels_opened_at_once_get_names_of_their_own, async |db| {
    let stores = [db.open().await, db.open().await];
    let opened = at_once(24, |n| {
        let store = stores[n % 2].clone();
        async move { store.carry_out(&actor(), unnamed(ChannelKind::Test)).await.unwrap().opened }
    })
    .await;
    let names: BTreeSet<_> = opened.into_iter().flatten().collect();
    assert_eq!(names.len(), 24);
    assert_sound(&stores[0]).await;
});

on_both!(one_name_opened_by_many_at_once_is_opened_once, async |db| {
    let store = db.open().await;
    let opened = at_once(12, |_| {
        let store = store.clone();
        let op = Op::Open { name: Some(name("club")), kind: ChannelKind::Vip, region: None, max_bots: None };
        async move { store.carry_out(&actor(), op).await.is_ok() }
    })
    .await;
    assert_eq!(opened.into_iter().filter(|won| *won).count(), 1);
});

on_both!(a_group_keeps_its_kind_while_one_of_its_channels_lives, async |db| {
    let store = db.open().await;
    open(&store, "club", 5).await;
    let vip = Op::Open { name: Some(name("club-2")), kind: ChannelKind::Vip, region: None, max_bots: None };
    assert!(matches!(refusal(&store, vip.clone()).await, AdmitError::GroupConflict { .. }));
    act(&store, close("club")).await;
    act(&store, vip).await;
    let seats = store.channel(&name("club-2")).await.unwrap().unwrap().channel.seats;
    assert_eq!((seats.kind, seats.max_bots), (ChannelKind::Vip, 20));
});
