//! What the store says while PostgreSQL is down, and what it does when it is back.

use crate::support::*;
use arena_core::admission::AdmitError;
use arena_store::{OpError, Store, StoreError, StoreOptions};
use arena_testing::{Durability, PostgresOptions, PostgresServer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

fn is_outage(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_))
}

fn check(end: fn(&mut PostgresServer)) {
    let options = PostgresOptions { durability: Durability::Default, ..PostgresOptions::default() };
    let mut server = PostgresServer::start(options).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&StoreOptions::new(server.url())).await.unwrap();
        let bots = enroll(&store, 20).await;
        open(&store, "side", 7).await;
        let done = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for bot in bots {
            let (store, done, over) = (store.clone(), done.clone(), over.clone());
            tasks.spawn(async move {
                let mut target = "side";
                while !over.load(Ordering::Relaxed) {
                    match store.carry_out(&actor(), assign(bot, target)).await {
                        Ok(_) => target = if target == "side" { "main" } else { "side" },
                        Err(OpError::Refused(AdmitError::ChannelFull { .. })) => {}
                        Err(OpError::Store(error)) if is_outage(&error) => return,
                        Err(other) => panic!("an outage looked like something else: {other:?}"),
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while done.load(Ordering::Relaxed) < 100 {
            tokio::task::yield_now().await;
        }
        let mut server = tokio::task::spawn_blocking(move || {
            end(&mut server);
            server
        })
        .await
        .unwrap();
        let error = store.bot_totals().await.unwrap_err();
        assert!(is_outage(&error), "{error:?}");
        over.store(true, Ordering::Relaxed);
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        let server =
            tokio::task::spawn_blocking(move || server.resume().map(|()| server)).await.unwrap().unwrap();
        assert_eq!(store.bot_totals().await.unwrap().0, 20);
        act(&store, set_limit("side", 30)).await;
        assert_sound(&store).await;
        // The server may not end before the pool, or closing the pool would wait for it.
        tokio::time::timeout(Duration::from_secs(30), store.close()).await.unwrap();
        drop(server);
    });
}

#[test]
fn a_server_that_is_stopped_is_an_outage_and_nothing_else() {
    check(PostgresServer::stop);
}

#[test]
fn a_server_that_is_killed_loses_nothing_that_was_acknowledged() {
    check(PostgresServer::kill);
}
