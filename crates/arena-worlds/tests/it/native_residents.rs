//! A bot is a resident of at most one world of a host, whatever order calls arrive in.

use crate::support::{begin, bodies, body, bot, create, native, native_with, until};
use arena_core::fault::HostFault;
use arena_worlds::WorldHost;
use arena_worlds::native::NativeHost;
use std::collections::BTreeSet;
use std::pin::pin;
use tokio::task::JoinSet;

fn is_stale(outcome: &Result<(), HostFault>) -> bool {
    matches!(outcome, Err(HostFault::Refused { code: "stale_assignment", retryable: true, .. }))
}

async fn join_one(host: &NativeHost, world: &arena_core::WorldId, epoch: i64) -> Result<(), HostFault> {
    host.join(world, vec![body(0, epoch)]).await?.remove(0).1
}

#[tokio::test]
async fn a_newer_assignment_takes_the_body_along_and_an_older_one_is_refused() {
    let host = native();
    let (a, b) = (create(&host, "a", 1).await, create(&host, "b", 1).await);
    join_one(&host, &a, 1).await.unwrap();
    join_one(&host, &b, 2).await.unwrap();
    assert_eq!(host.residents(&a).await.unwrap(), BTreeSet::new());
    assert_eq!(host.residents(&b).await.unwrap(), [bot(0)].into());
    assert!(is_stale(&join_one(&host, &a, 1).await));
    assert_eq!(host.residents(&b).await.unwrap(), [bot(0)].into());
}

#[tokio::test]
async fn a_join_that_was_overtaken_by_a_call_out_is_refused() {
    let host = native();
    let (a, b) = (create(&host, "a", 1).await, create(&host, "b", 1).await);
    host.leave(&a, &[(bot(0), Some(2))]).await.unwrap();
    assert!(is_stale(&join_one(&host, &a, 1).await));
    join_one(&host, &b, 2).await.unwrap();
    host.leave(&b, &[(bot(0), Some(1))]).await.unwrap();
    assert_eq!(host.residents(&b).await.unwrap(), [bot(0)].into(), "an old call must not hit a newer body");
    host.leave(&b, &[(bot(0), None)]).await.unwrap();
    assert_eq!(host.residents(&b).await.unwrap(), BTreeSet::new());
}

/// On one thread nothing runs but what is polled here, so the mailbox stays full until we wait.
#[tokio::test]
async fn a_body_that_cannot_be_called_out_of_its_old_world_does_not_enter_another() {
    let host = native_with(20, 1);
    let (a, b) = (create(&host, "a", 1).await, create(&host, "b", 1).await);
    join_one(&host, &a, 1).await.unwrap();
    let mut asking = pin!(host.residents(&a));
    begin(asking.as_mut()).await;
    let mut joining = pin!(join_one(&host, &b, 2));
    let outcome = joining.as_mut().await;
    assert!(matches!(outcome, Err(HostFault::Transient { .. })), "{outcome:?}");
    assert_eq!(asking.await.unwrap(), [bot(0)].into());
    assert_eq!(host.residents(&b).await.unwrap(), BTreeSet::new());
    join_one(&host, &b, 2).await.unwrap();
    assert_eq!(host.residents(&a).await.unwrap(), BTreeSet::new());
}

/// The caller of a call-out goes away before the world has carried it out, and another one lets the body in elsewhere.
#[tokio::test]
async fn a_body_on_its_way_out_is_waited_for() {
    let host = native_with(200, 8);
    let (a, b) = (create(&host, "a", 1).await, create(&host, "b", 1).await);
    join_one(&host, &a, 1).await.unwrap();
    {
        let calls = [(bot(0), Some(2))];
        let mut leaving = pin!(host.leave(&a, &calls));
        begin(leaving.as_mut()).await;
    }
    assert_eq!(host.residents(&a).await.unwrap(), [bot(0)].into(), "it leaves at the next tick");
    join_one(&host, &b, 2).await.unwrap();
    assert_eq!(host.residents(&a).await.unwrap(), BTreeSet::new());
}

#[test]
fn joins_at_the_same_moment_leave_each_bot_in_one_world_the_newest() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let host = native_with(10, 1_024);
        let mut worlds = Vec::new();
        for channel in ["a", "b", "c", "d"] {
            worlds.push(create(&host, channel, 1).await);
        }
        for round in 0..40 {
            let mut joins = JoinSet::new();
            for (n, world) in worlds.iter().cloned().enumerate() {
                let host = host.clone();
                let epoch = round * 4 + (n as i64 + round) % 4 + 1;
                joins.spawn(async move { host.join(&world, bodies(0..5, epoch)).await.unwrap() });
            }
            joins.join_all().await;
            let mut found = Vec::new();
            for world in &worlds {
                found.extend(host.residents(world).await.unwrap());
            }
            let once: BTreeSet<_> = found.iter().copied().collect();
            assert_eq!((found.len(), once.len()), (5, 5), "round {round}: {found:?}");
            let newest = &worlds[((3 - round).rem_euclid(4)) as usize];
            assert_eq!(host.residents(newest).await.unwrap().len(), 5, "round {round}");
        }
    });
}

#[tokio::test]
async fn a_full_world_refuses_for_now_and_a_nameless_body_for_good() {
    let host = native();
    let a = create(&host, "a", 1).await;
    let outcomes = host.join(&a, bodies(0..31, 1)).await.unwrap();
    let refused: Vec<_> = outcomes.into_iter().filter_map(|(_, outcome)| outcome.err()).collect();
    assert!(matches!(&refused[..], [HostFault::Refused { code: "world_full", retryable: true, .. }]));
    host.leave(&a, &[(bot(0), None)]).await.unwrap();
    let mut nameless = body(50, 1);
    nameless.name = String::new();
    let outcome = host.join(&a, vec![nameless]).await.unwrap().remove(0).1;
    assert!(matches!(outcome, Err(HostFault::Refused { retryable: false, .. })), "{outcome:?}");
}

#[tokio::test]
async fn bots_of_a_world_that_is_gone_enter_the_next_one_under_the_same_assignment() {
    let host = native();
    let a = create(&host, "a", 1).await;
    host.join(&a, bodies(0..5, 1)).await.unwrap();
    host.destroy(&a).await.unwrap();
    let next = create(&host, "a", 2).await;
    let outcomes = host.join(&next, bodies(0..5, 1)).await.unwrap();
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{outcomes:?}");
    until("all are there", async || host.residents(&next).await.unwrap().len() == 5).await;
}
