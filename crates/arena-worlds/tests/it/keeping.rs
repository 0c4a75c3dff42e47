//! Snapshots of positions.

use crate::support::{bodies, bot, create, guarded, name, native, native_with, until};
use arena_store::Store;
use arena_worlds::native::NativeHost;
use arena_worlds::{PositionKeeper, WorldHost, last_positions};
use std::collections::BTreeMap;

async fn standing(host: &NativeHost, world: &arena_core::WorldId) -> BTreeMap<arena_core::BotId, (u16, u16)> {
    host.positions(world).await.unwrap().into_iter().collect()
}

on_both!(everyone_s_place_is_saved_and_what_did_not_change_is_left_out, async |store: Store| {
    // A tick so long that nobody moves between two looks.
    let host = native_with(1_000, 16);
    let (a, empty) = (create(&host, "a", 1).await, create(&host, "b", 1).await);
    host.join(&a, bodies(0..10, 1)).await.unwrap();
    until("nobody moved while it was saved twice", async || {
        let mut keeper = PositionKeeper::new(store.clone(), guarded(&host));
        let before = standing(&host, &a).await;
        keeper.save().await.unwrap();
        let saved = last_positions(&store, &name("a")).await.unwrap();
        let again = keeper.save().await.unwrap();
        standing(&host, &a).await == before && saved == before && again == 0
    })
    .await;
    assert!(last_positions(&store, &name("b")).await.unwrap().is_empty());
    host.destroy(&empty).await.unwrap();
});

on_both!(
    a_world_that_is_being_filled_again_does_not_overwrite_the_places_of_the_others,
    async |store: Store| {
        let host = native();
        let a = create(&host, "a", 1).await;
        host.join(&a, bodies(0..10, 1)).await.unwrap();
        let mut keeper = PositionKeeper::new(store.clone(), guarded(&host));
        keeper.save().await.unwrap();
        let before = last_positions(&store, &name("a")).await.unwrap();
        for restarted in [false, true] {
            host.destroy(&host.find(&name("a")).await.unwrap().unwrap().world).await.unwrap();
            keeper.save().await.unwrap();
            if restarted {
                keeper = PositionKeeper::new(store.clone(), guarded(&host));
            }
            let next = create(&host, "a", 2 + i64::from(restarted)).await;
            host.join(&next, bodies(0..3, 1)).await.unwrap();
            keeper.save().await.unwrap();
            let saved = last_positions(&store, &name("a")).await.unwrap();
            assert_eq!(saved.len(), 10, "restarted: {restarted}");
            assert_eq!(saved[&bot(7)], before[&bot(7)]);
        }
    }
);

on_both!(hundreds_of_worlds_are_saved_in_one_round, async |store: Store| {
    let host = native();
    for n in 0..450 {
        let world = create(&host, &format!("c{n}"), 1).await;
        host.join(&world, bodies(n..n + 1, 1)).await.unwrap();
    }
    let mut keeper = PositionKeeper::new(store.clone(), guarded(&host));
    assert_eq!(keeper.save().await.unwrap(), 450);
    assert_eq!(last_positions(&store, &name("c449")).await.unwrap().len(), 1);
});

on_both!(a_snapshot_that_cannot_be_read_counts_as_none, async |store: Store| {
    store.save_positions(&[(name("a"), "{broken".to_owned())]).await.unwrap();
    assert!(last_positions(&store, &name("a")).await.unwrap().is_empty());
});
