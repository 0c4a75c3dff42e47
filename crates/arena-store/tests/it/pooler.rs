//! Behind PgBouncer in transaction mode.

use crate::support::*;
use arena_core::admission::Op;
use arena_core::bot::BotState;
use arena_store::{ActivityFilter, Begun, Observation, PageRequest, Store, StoreError, StoreOptions};
use arena_testing::{PgBouncer, TestDatabase};

fn check(pooled: bool, then: impl AsyncFnOnce(Result<Store, StoreError>)) {
    let database = TestDatabase::postgres();
    let bouncer = PgBouncer::in_front_of(database.url()).unwrap();
    let url = bouncer.url(database.name().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let options = StoreOptions { pooled, ..StoreOptions::new(url) };
        then(Store::open(&options).await).await;
    });
}

#[test]
fn an_unpooled_store_refuses_to_run_behind_a_pooler_and_says_what_to_set() {
    check(false, async |store| {
        let error = store.unwrap_err();
        assert!(
            matches!(&error, StoreError::Unusable(text) if text.contains("database.pgbouncer = true")),
            "{error:?}"
        );
    });
}

#[test]
fn a_pooled_store_is_right_under_load() {
    check(true, async |store| {
        let store = store.unwrap();
        let bots = enroll(&store, 120).await;
        open(&store, "tiny", 11).await;
        let won = at_once(60, |n| {
            let (store, bot) = (store.clone(), bots[n]);
            async move {
                let won = store.carry_out(&actor(), assign(bot, "tiny")).await.is_ok();
                assert_eq!(get(&store, bot).await.id, bot, "another query's answer");
                won
            }
        })
        .await;
        assert_eq!(won.into_iter().filter(|won| *won).count(), 11);
        assert_sound(&store).await;

        let batches: Vec<Vec<_>> = all_bots(&store)
            .await
            .chunks(15)
            .map(|bots| {
                let seen = |bot: &arena_core::bot::Bot| Observation {
                    bot: bot.id,
                    epoch: bot.epoch,
                    state: BotState::Live,
                    world: Some("w".parse().unwrap()),
                };
                bots.iter().map(seen).collect()
            })
            .collect();
        let recorded = at_once(batches.len(), |n| {
            let (store, batch) = (store.clone(), batches[n].clone());
            async move { store.record(&batch).await.unwrap().len() }
        })
        .await;
        assert_eq!(recorded.iter().sum::<usize>(), 120);
        assert_eq!(store.bot_totals().await.unwrap(), (120, 120));
    });
}

#[test]
fn everything_else_works_behind_a_pooler() {
    check(true, async |store| {
        let store = store.unwrap();
        let now = arena_store::now();
        store.keep_activity(now, std::time::Duration::from_secs(9)).await.unwrap();
        assert!(store.migrate().await.unwrap().is_empty());
        enroll(&store, 30).await;
        act(&store, Op::Rebalance { group: None }).await;
        act(&store, close("main-2")).await;
        let main = name("main");
        let epoch = store.next_epoch(&main).await.unwrap();
        assert!(store.place_world(&main, &"w".parse().unwrap(), epoch).await.unwrap());
        store.clear_world(&"w".parse().unwrap()).await.unwrap();
        store.save_positions(&[(main.clone(), "{}".to_owned())]).await.unwrap();
        assert_eq!(store.positions(&main).await.unwrap().as_deref(), Some("{}"));
        assert_eq!(store.begin_reply("k", "f", now).await.unwrap(), Begun::Fresh);
        let log = store.activity(&ActivityFilter::default(), &PageRequest::first(1_000)).await.unwrap();
        assert!(log.items.len() > 30);
        assert_sound(&store).await;
    });
}
