use crate::support::*;
use arena_core::admission::{AdmitError, Op};
use arena_core::channel::{ChannelKind, Status};
use arena_store::{Order, StoreError};

on_both!(two_hundred_assignments_against_one_seat_seat_one, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 200).await;
    open(&store, "tiny", 1).await;
    let outcomes = at_once(200, |n| {
        let (store, bot) = (store.clone(), bots[n]);
        async move { store.carry_out(&actor(), assign(bot, "tiny")).await.map_err(|e| e.to_string()) }
    })
    .await;
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(refused.len(), 199);
    let full = AdmitError::ChannelFull { channel: name("tiny"), limit: 1, free: 0, wanted: 1 }.to_string();
    assert!(refused.iter().all(|error| **error == full), "{refused:?}");
    let tiny = store.channel(&name("tiny")).await.unwrap().unwrap().channel.seats;
    assert_eq!((tiny.bots, tiny.status()), (1, Status::Full));
    assert_sound(&store).await;
});

on_both!(two_stores_on_one_database_do_not_overfill_either, async |db| {
    let stores = [db.open().await, db.open().await, db.open().await];
    let bots = enroll(&stores[0], 30).await;
    open(&stores[0], "tiny", 7).await;
    let outcomes = at_once(30, |n| {
        let (store, bot) = (stores[n % 3].clone(), bots[n]);
        async move { store.carry_out(&actor(), assign(bot, "tiny")).await.is_ok() }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|won| **won).count(), 7);
    assert_sound(&stores[1]).await;
});

on_both!(the_database_itself_refuses_to_overfill, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 200).await;
    open(&store, "tiny", 1).await;
    let pool = db.raw().await;
    let outcomes = at_once(200, |n| {
        let (pool, bot) = (pool.clone(), bots[n]);
        async move {
            let sql = "UPDATE bots SET channel = 'tiny', wants_channel = 1 WHERE id = $1";
            let mut tx = pool.begin().await?;
            sqlx::query(sql).bind(bot.to_string()).execute(&mut *tx).await?;
            tx.commit().await
        }
    })
    .await;
    let refused: Vec<_> = outcomes.into_iter().filter_map(Result::err).map(StoreError::from).collect();
    assert_eq!(refused.len(), 199);
    // Connections that know nothing of our locks may also get in each other's way; none may get in.
    let clear = |error: &StoreError| {
        matches!(error, StoreError::Overfull | StoreError::Contended | StoreError::Unavailable(_))
    };
    assert!(refused.iter().all(clear), "{refused:?}");
    assert!(refused.iter().any(|error| matches!(error, StoreError::Overfull)), "{refused:?}");
    assert_eq!(store.bots_in(&name("tiny")).await.unwrap().len(), 1);
    assert_sound(&store).await;
});

on_both!(inserts_and_deletions_around_the_rules_are_counted, async |db| {
    let store = db.open().await;
    enroll(&store, 5).await;
    raw_sql(db, "DELETE FROM bots WHERE name IN ('bot-001', 'bot-002')").await.unwrap();
    assert_eq!(loads(&store).await, expected(&[("main", 3)]));
    let overfull = raw_sql(
        db,
        "UPDATE channels SET max_bots = 3; \
         INSERT INTO bots SELECT 'x', 'x', persona, traits, home_zone, region, kind, channel, wants_channel, epoch, \
         state, attempt, retry_at, reason, world, created_at, changed_at FROM bots WHERE name = 'bot-000'",
    )
    .await;
    assert!(matches!(overfull.map_err(StoreError::from), Err(StoreError::Overfull)));
    assert_sound(&store).await;
});

on_both!(orders_of_one_batch_are_judged_one_by_one, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 5).await;
    open(&store, "tiny", 2).await;
    let orders: Vec<_> = bots.iter().map(|bot| Order::new(&actor(), assign(*bot, "tiny"))).collect();
    let outcomes = store.carry_out_all(&orders).await.unwrap();
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, false, false]);
    assert_eq!(loads(&store).await, expected(&[("main", 3), ("tiny", 2)]));
    assert_sound(&store).await;
});

on_both!(who_or_what_is_not_there_is_named, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 1).await;
    let nobody = arena_core::BotId(uuid::Uuid::from_u128(7));
    assert_eq!(refusal(&store, assign(nobody, "main")).await, AdmitError::BotNotFound(nobody));
    assert_eq!(refusal(&store, assign(bots[0], "gone")).await, AdmitError::ChannelNotFound(name("gone")));
    let wrong = Op::Remove { bot: bots[0], from: Some(name("gone")) };
    assert_eq!(refusal(&store, wrong).await, AdmitError::ChannelNotFound(name("gone")));
    open(&store, "side", 5).await;
    let wrong = Op::Remove { bot: bots[0], from: Some(name("side")) };
    let expected = AdmitError::NotInChannel { bot: bots[0], channel: name("side") };
    assert_eq!(refusal(&store, wrong).await, expected);
});

on_both!(a_place_is_found_by_kind_and_region, async |db| {
    let store = db.open().await;
    let roster = [
        bot_of("a", ChannelKind::Vip, None),
        bot_of("b", ChannelKind::Regional, Some("us-west-2")),
        bot_of("c", ChannelKind::Regional, Some("eu-central-1")),
    ];
    store.enroll(&actor(), &roster).await.unwrap();
    let found = [("eu-central-1-regional", 1), ("us-west-2-regional", 1), ("vip", 1)];
    assert_eq!(loads(&store).await, expected(&found));
    let vip = store.bot_named("a").await.unwrap().unwrap().id;
    act(&store, Op::Remove { bot: vip, from: None }).await;
    assert_eq!(get(&store, vip).await.channel, None);
    assert!(store.orphans(10).await.unwrap().is_empty(), "who was taken out is no orphan");
    act(&store, Op::Place { bot: vip }).await;
    assert_eq!(get(&store, vip).await.channel, Some(name("vip")));
});
