use crate::support::*;

on_both!(the_last_snapshot_of_each_channel_is_kept, async |db| {
    let store = db.open().await;
    open(&store, "club", 5).await;
    assert_eq!(store.positions(&name("club")).await.unwrap(), None);
    store.save_positions(&[]).await.unwrap();
    let snapshot = |body: &str| vec![(name("club"), body.to_owned()), (name("main"), "{}".to_owned())];
    store.save_positions(&snapshot("{\"a\":1}")).await.unwrap();
    store.save_positions(&snapshot("{\"ü\":\"'\"}")).await.unwrap();
    assert_eq!(store.positions(&name("club")).await.unwrap().as_deref(), Some("{\"ü\":\"'\"}"));
    act(&store, close("club")).await;
    assert_eq!(store.positions(&name("club")).await.unwrap(), None, "a new channel of that name starts anew");
});

on_both!(hundreds_of_snapshots_are_saved_in_one_call, async |db| {
    let store = db.open().await;
    let snapshots: Vec<_> = (0..450).map(|n| (name(&format!("c{n}")), n.to_string())).collect();
    store.save_positions(&snapshots).await.unwrap();
    for n in [0, 199, 200, 449] {
        let saved = store.positions(&name(&format!("c{n}"))).await.unwrap();
        assert_eq!(saved, Some(n.to_string()));
    }
});
