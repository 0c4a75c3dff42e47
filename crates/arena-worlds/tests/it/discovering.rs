//! Discovery: cache, known, adopted, created; one search at a time; never two channels in one world.

use crate::support::{create, guarded, name, native, until};
use arena_core::fault::HostFault;
use arena_store::Store;
use arena_worlds::native::NativeHost;
use arena_worlds::{Discovery, DiscoverySettings, Source, WorldHost};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;

fn discovery(store: &Store, host: &NativeHost) -> Discovery {
    Discovery::new(store.clone(), guarded(host), DiscoverySettings::default())
}

async fn source(discovery: &Discovery, channel: &str) -> Source {
    discovery.discover(&name(channel)).await.unwrap().source
}

on_both!(a_world_is_created_then_cached_then_known, async |store: Store| {
    let host = native();
    let found = discovery(&store, &host);
    assert_eq!(source(&found, "a").await, Source::Created);
    assert_eq!(source(&found, "a").await, Source::Cache);
    found.clear(Some(&name("a")));
    assert_eq!(source(&found, "a").await, Source::Known);
    found.clear(None);
    assert_eq!(source(&found, "a").await, Source::Known);
    let restarted = discovery(&store, &host);
    assert_eq!(source(&restarted, "a").await, Source::Known);
    assert_eq!(host.list().await.unwrap().len(), 1);
});

on_both!(a_world_whose_record_was_lost_in_a_crash_is_adopted, async |store: Store| {
    let host = native();
    let epoch = store.next_epoch(&name("a")).await.unwrap();
    let world = create(&host, "a", epoch).await;
    let found = discovery(&store, &host).discover(&name("a")).await.unwrap();
    assert_eq!((found.world.clone(), found.source), (world.clone(), Source::Adopted));
    let placement = store.placement(&name("a")).await.unwrap();
    assert_eq!(placement.world, Some(world));
    assert!(placement.epoch > epoch, "whoever else took that epoch is fenced off");
});

on_both!(sixty_four_who_search_at_once_create_one_world, async |store: Store| {
    let host = native();
    let found = discovery(&store, &host);
    let mut searches = JoinSet::new();
    for _ in 0..64 {
        let found = found.clone();
        searches.spawn(async move { found.discover(&name("a")).await.unwrap() });
    }
    let all = searches.join_all().await;
    let worlds: BTreeSet<_> = all.iter().map(|found| found.world.clone()).collect();
    let created = all.iter().filter(|found| found.source == Source::Created).count();
    assert_eq!((worlds.len(), created), (1, 1));
    assert_eq!(host.list().await.unwrap().len(), 1);
});

on_both!(two_who_do_not_share_a_cache_agree_on_one_world, async |store: Store| {
    let host = native();
    for round in 0..10 {
        let channel = format!("c{round}");
        let (left, right) = (discovery(&store, &host), discovery(&store, &host));
        let both = async |found: &Discovery| loop {
            match found.discover(&name(&channel)).await {
                Ok(found) => break found.world,
                Err(error) => assert!(matches!(error, arena_worlds::DiscoverError::Host(_)), "{error:?}"),
            }
        };
        tokio::join!(both(&left), both(&right));
        let placed = store.placement(&name(&channel)).await.unwrap().world.unwrap();
        assert_eq!(host.find(&name(&channel)).await.unwrap().unwrap().world, placed);
    }
    assert_eq!(host.list().await.unwrap().len(), 10);
});

on_both!(what_is_cached_counts_for_its_time_only, async |store: Store| {
    let host = native();
    let settings = DiscoverySettings { cache_ttl: Duration::from_millis(50) };
    let found = Discovery::new(store, guarded(&host), settings);
    assert_eq!(source(&found, "a").await, Source::Created);
    until("the entry is too old", async || source(&found, "a").await == Source::Known).await;
});

on_both!(only_the_right_entry_is_invalidated, async |store: Store| {
    let host = native();
    let found = discovery(&store, &host);
    let a = found.discover(&name("a")).await.unwrap().world;
    let b = found.discover(&name("b")).await.unwrap().world;
    found.invalidate(&name("a"), &b);
    assert_eq!(source(&found, "a").await, Source::Cache, "another world is no evidence");
    found.invalidate(&name("a"), &a);
    assert_eq!(source(&found, "b").await, Source::Cache);
    assert_eq!(source(&found, "a").await, Source::Known);
    assert_eq!(found.invalidate_world(&b), Some(name("b")));
    assert_eq!(found.invalidate_world(&b), None);
    assert_eq!(source(&found, "a").await, Source::Cache);
    assert_eq!(source(&found, "b").await, Source::Known);
});

on_both!(what_is_cached_yields_to_what_is_recorded, async |store: Store| {
    let host = native();
    let found = discovery(&store, &host);
    let world = found.discover(&name("a")).await.unwrap().world;
    found.reconcile(&name("a"), Some(&world));
    assert_eq!(source(&found, "a").await, Source::Cache);
    store.next_epoch(&name("a")).await.unwrap();
    found.reconcile(&name("a"), None);
    assert_eq!(source(&found, "a").await, Source::Adopted);
    assert_eq!(store.placement(&name("a")).await.unwrap().world, Some(world));
});

on_both!(a_world_that_is_gone_is_replaced_and_its_references_are_cleared, async |store: Store| {
    let host = native();
    let found = discovery(&store, &host);
    let old = found.discover(&name("a")).await.unwrap().world;
    let epoch = store.placement(&name("a")).await.unwrap().epoch;
    host.destroy(&old).await.unwrap();
    found.invalidate(&name("a"), &old);
    let new = found.discover(&name("a")).await.unwrap();
    assert_eq!(new.source, Source::Created);
    assert_ne!(new.world, old);
    let placement = store.placement(&name("a")).await.unwrap();
    assert_eq!(placement.world, Some(new.world));
    assert!(placement.epoch > epoch);
});

on_both!(a_recorded_world_of_another_channel_is_not_shared, async |store: Store| {
    let host = native();
    let found = discovery(&store, &host);
    let a = found.discover(&name("a")).await.unwrap().world;
    let epoch = store.next_epoch(&name("b")).await.unwrap();
    assert!(store.place_world(&name("b"), &a, epoch).await.unwrap());
    let b = found.discover(&name("b")).await.unwrap();
    assert_eq!(b.source, Source::Created);
    assert_ne!(b.world, a);
    assert_eq!(store.placement(&name("a")).await.unwrap().world, Some(a), "its owner keeps it");
});

on_both!(a_forgotten_channel_leaves_nothing_behind, async |store: Store| {
    let host = native();
    let found = discovery(&store, &host);
    let world = found.discover(&name("short-lived")).await.unwrap().world;
    found.forget(&name("short-lived"));
    found.invalidate(&name("short-lived"), &world);
    found.clear(Some(&name("short-lived")));
    assert!(!format!("{found:?}").contains("short-lived"), "{found:?}");
});

on_both!(worlds_wiped_while_they_are_created_are_made_anew_and_none_is_eaten, async |store: Store| {
    let host = native();
    let found = discovery(&store, &host);
    let mut searches = JoinSet::new();
    for n in 0..20 {
        let (found, host) = (found.clone(), host.clone());
        searches.spawn(async move {
            let channel = name(&format!("c{n}"));
            // As a sync does it: a world that turns out to be gone is dropped from the cache and searched for again.
            for _ in 0..15 {
                let world = found.discover(&channel).await.unwrap().world;
                if host.residents(&world).await == Err(HostFault::WorldGone) {
                    found.invalidate(&channel, &world);
                }
                tokio::task::yield_now().await;
            }
        });
    }
    while !searches.is_empty() {
        for world in host.list().await.unwrap() {
            host.destroy(&world.hosted.world).await.unwrap();
        }
        while searches.try_join_next().map(Result::unwrap).is_some() {}
        tokio::task::yield_now().await;
    }
    let mut worlds = BTreeSet::new();
    for n in 0..20 {
        let channel = name(&format!("c{n}"));
        found.clear(Some(&channel));
        let world = found.discover(&channel).await.unwrap().world;
        assert_eq!(host.validate(&world).await.unwrap().channel, channel);
        assert_eq!(store.placement(&channel).await.unwrap().world.as_ref(), Some(&world));
        worlds.insert(world);
    }
    assert_eq!(worlds.len(), 20);
    assert_eq!(host.list().await.unwrap().len(), 20);
});
