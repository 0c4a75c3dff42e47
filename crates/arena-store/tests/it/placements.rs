use crate::support::*;
use arena_core::WorldId;
use arena_store::Placement;

fn world(id: &str) -> WorldId {
    id.parse().unwrap()
}

on_both!(a_world_is_placed_under_the_newest_epoch_only, async |db| {
    let store = db.open().await;
    let main = name("main");
    assert_eq!(store.placement(&main).await.unwrap(), Placement::default());
    let old = store.next_epoch(&main).await.unwrap();
    let new = store.next_epoch(&main).await.unwrap();
    assert_eq!((old, new), (1, 2));
    assert!(!store.place_world(&main, &world("late"), old).await.unwrap());
    assert!(store.place_world(&main, &world("w"), new).await.unwrap());
    let placed = Placement { world: Some(world("w")), epoch: 2 };
    assert_eq!(store.placement(&main).await.unwrap(), placed);
    assert_eq!(store.next_epoch(&main).await.unwrap(), 3);
    assert_eq!(store.placement(&main).await.unwrap().world, None);
});

on_both!(epochs_taken_at_once_are_all_different, async |db| {
    let stores = [db.open().await, db.open().await];
    let mut epochs = at_once(20, |n| {
        let store = stores[n % 2].clone();
        async move { store.next_epoch(&name("main")).await.unwrap() }
    })
    .await;
    epochs.sort_unstable();
    assert_eq!(epochs, (1..=20).collect::<Vec<i64>>());
});

on_both!(a_world_that_is_gone_cannot_be_placed_again, async |db| {
    let store = db.open().await;
    let main = name("main");
    let epoch = store.next_epoch(&main).await.unwrap();
    store.place_world(&main, &world("w"), epoch).await.unwrap();
    store.clear_world(&world("w")).await.unwrap();
    assert_eq!(store.placement(&main).await.unwrap(), Placement { world: None, epoch: epoch + 1 });
    assert!(!store.place_world(&main, &world("w"), epoch).await.unwrap());
});

on_both!(epochs_go_on_rising_when_a_name_is_used_again, async |db| {
    let store = db.open().await;
    open(&store, "club", 5).await;
    let club = name("club");
    let epoch = store.next_epoch(&club).await.unwrap();
    store.place_world(&club, &world("w"), epoch).await.unwrap();
    act(&store, close("club")).await;
    assert!(!store.place_world(&club, &world("ghost"), epoch).await.unwrap());
    open(&store, "club", 5).await;
    let row = store.channel(&club).await.unwrap().unwrap();
    assert_eq!(row.world, None);
    assert!(row.epoch > epoch);
    assert!(store.next_epoch(&club).await.unwrap() > row.epoch);
});
