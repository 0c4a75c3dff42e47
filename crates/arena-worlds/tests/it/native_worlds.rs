//! Worlds of the native host: created under an epoch, found, ended, and told of.

use crate::support::{begin, bodies, body, bot, create, name, native, native_with, request, until};
use arena_core::fault::HostFault;
use arena_worlds::{WorldEvent, WorldHost};
use std::collections::BTreeSet;
use std::pin::pin;

#[tokio::test]
async fn every_channel_gets_a_world_of_its_own() {
    let host = native();
    let (a, b) = (create(&host, "a", 1).await, create(&host, "b", 1).await);
    assert_ne!(a, b);
    assert_eq!(host.find(&name("a")).await.unwrap().unwrap().world, a);
    assert_eq!(host.validate(&b).await.unwrap().channel, name("b"));
    assert_eq!(host.find(&name("c")).await.unwrap(), None);
}

#[tokio::test]
async fn an_old_epoch_creates_nothing_and_a_newer_one_ends_the_older_world() {
    let host = native();
    let old = create(&host, "a", 5).await;
    for epoch in [5, 4] {
        let refused = host.create(request("a", epoch)).await.unwrap_err();
        assert!(matches!(refused, HostFault::Refused { code: "stale_epoch", retryable: true, .. }));
    }
    assert_eq!(host.list().await.unwrap().len(), 1);
    let mut events = host.events();
    let new = create(&host, "a", 6).await;
    let WorldEvent::Gone(gone) = events.recv().await.unwrap();
    assert_eq!((gone.world, gone.epoch), (old.clone(), 5));
    assert_eq!(host.validate(&old).await, Err(HostFault::WorldGone));
    assert_eq!(host.find(&name("a")).await.unwrap().unwrap().world, new);
}

#[tokio::test]
async fn an_ended_world_is_gone_for_every_call_and_is_told_of_once() {
    let host = native();
    let a = create(&host, "a", 1).await;
    host.join(&a, bodies(0..3, 1)).await.unwrap();
    let mut events = host.events();
    host.destroy(&a).await.unwrap();
    host.destroy(&a).await.unwrap();
    let WorldEvent::Gone(gone) = events.recv().await.unwrap();
    assert_eq!(gone.world, a);
    assert_eq!(host.residents(&a).await, Err(HostFault::WorldGone));
    assert_eq!(host.join(&a, bodies(0..3, 1)).await, Err(HostFault::WorldGone));
    assert_eq!(host.leave(&a, &[(bot(0), None)]).await, Err(HostFault::WorldGone));
    assert_eq!(host.positions(&a).await, Err(HostFault::WorldGone));
    assert_eq!(host.find(&name("a")).await.unwrap(), None);
    assert!(host.list().await.unwrap().is_empty());
    assert!(events.try_recv().is_err(), "told once");
}

#[tokio::test]
async fn a_call_that_is_waiting_when_its_world_ends_learns_that_it_is_gone() {
    let host = native_with(1_000, 8);
    let a = create(&host, "a", 1).await;
    host.join(&a, vec![body(0, 1)]).await.unwrap();
    let mut joining = pin!(host.join(&a, vec![body(1, 1)]));
    begin(joining.as_mut()).await;
    host.destroy(&a).await.unwrap();
    assert_eq!(joining.await, Err(HostFault::WorldGone));
}

/// On one thread nothing runs but what is polled here, so the mailbox fills up.
#[tokio::test]
async fn a_full_mailbox_refuses_as_an_outage_and_not_as_a_deletion() {
    let host = native_with(20, 2);
    let a = create(&host, "a", 1).await;
    let (mut first, mut second) = (pin!(host.residents(&a)), pin!(host.positions(&a)));
    begin(first.as_mut()).await;
    begin(second.as_mut()).await;
    assert!(matches!(host.residents(&a).await, Err(HostFault::Transient { .. })));
    assert!(matches!(host.join(&a, bodies(0..1, 1)).await, Err(HostFault::Transient { .. })));
    assert!(matches!(host.leave(&a, &[(bot(0), None)]).await, Err(HostFault::Transient { .. })));
    assert_eq!(first.await.unwrap(), BTreeSet::new());
    assert_eq!(second.await.unwrap(), vec![]);
    assert!(host.residents(&a).await.is_ok(), "it recovers");
}

#[tokio::test]
async fn an_empty_world_rests_and_wakes_for_the_first_who_enters() {
    let host = native_with(1_000, 8);
    let a = create(&host, "a", 1).await;
    let tick = async || host.view(&a).await.unwrap().summary.tick;
    assert_eq!(tick().await, 0);
    let began = std::time::Instant::now();
    host.join(&a, vec![body(0, 1)]).await.unwrap();
    assert!(began.elapsed().as_millis() < 900, "the first body does not wait for a tick");
    host.leave(&a, &[(bot(0), None)]).await.unwrap();
    assert_eq!(host.view(&a).await.unwrap().summary.residents, 0);
}

#[tokio::test]
async fn a_shutdown_ends_every_world_and_starts_none() {
    let host = native();
    for n in 0..20 {
        create(&host, &format!("c{n}"), 1).await;
    }
    host.shutdown().await;
    assert!(host.list().await.unwrap().is_empty());
    assert!(matches!(host.create(request("a", 1)).await, Err(HostFault::Transient { .. })));
    until("it stays empty", async || host.list().await.unwrap().is_empty()).await;
}
