//! Conversations are created, listed and deleted; the database comes and goes.

use crate::support::{Db, House, actor, id, json, limits, run, say, setup, who};
use arena_control::{ConversationFilter, PageRequest, SubmitError};
use arena_core::conversation::{Command, ExhaustedBy, Setup, TurnPolicy, Turns};
use arena_testing::{Durability, PostgresOptions, PostgresServer, TestDatabase};

on_both!(a_conversation_is_created_once_and_found_again, async |db: &Db| {
    let house = House::open(db).await;
    let made = house.create(&actor(), None, setup(&["a"], limits(None, Some(3))), None).await.unwrap();
    assert_eq!(house.get(&made.id).await.unwrap(), made);
    house.begin("c", Setup { owner: Some(who("anna")), ..Setup::default() }).await;
    let again = house.create(&actor(), Some(id("c")), Setup::default(), None).await;
    assert_eq!(again.unwrap_err().code(), "conversation_exists");
    let filter = ConversationFilter { owner: Some("anna".to_owned()), ..ConversationFilter::default() };
    let page = house.list(filter, PageRequest::first(10)).await.unwrap();
    assert_eq!(page.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["c"]);
    let missing = house.get(&id("nobody")).await;
    assert_eq!(missing.unwrap_err().code(), "conversation_not_found");
    house.close().await;
});

on_both!(of_many_who_create_the_same_conversation_one_does, async |db: &Db| {
    let (house, other) = (House::open(db).await, House::open(db).await);
    let mut creating = tokio::task::JoinSet::new();
    for n in 0..32 {
        let service = if n % 2 == 0 { house.clone() } else { other.clone() };
        creating.spawn(async move { service.create(&actor(), Some(id("c")), Setup::default(), None).await });
    }
    let outcomes = creating.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .flat_map(|outcome| outcome.as_ref().err())
            .all(|error| error.code() == "conversation_exists")
    );
    house.said("c", "a", "1").await;
    other.said("c", "a", "2").await;
    assert_eq!(house.count("c", "message").await, 2);
    house.close().await;
    other.close().await;
});

on_both!(a_deleted_conversation_is_gone_and_its_id_is_free, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(1)))).await;
    house.said("c", "a", "1").await;
    house.delete(&actor(), &id("c")).await.unwrap();
    let gone = house.messages(&id("c"), 0, 10).await;
    assert_eq!(gone.unwrap_err().code(), "conversation_not_found");
    match house.order("c", say("a", "2")).await {
        Err(SubmitError::Failed(error)) => assert_eq!(error.code(), "conversation_not_found"),
        outcome => panic!("{outcome:?}"),
    }
    let old = house.bus.len();
    house.begin("c", setup(&[], limits(None, Some(1)))).await;
    house.said("c", "a", "afresh").await;
    assert_eq!(house.count("c", "message").await, 1, "{old}");
    house.close().await;
});

on_both!(what_is_closed_stays_closed_until_somebody_opens_it, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(5)))).await;
    house.said("c", "a", "1").await;
    let closed = house.order("c", Command::Close).await.unwrap();
    assert_eq!(closed.exhausted, Some(ExhaustedBy::ClosedByModerator));
    assert_eq!(house.code("c", "a").await.as_str(), "closed_by_moderator");
    house.order("c", Command::Reopen).await.unwrap();
    house.said("c", "a", "2").await;
    house.close().await;
});

on_both!(a_setup_that_makes_no_sense_is_refused_in_words, async |db: &Db| {
    let house = House::open(db).await;
    let turns = Turns { policy: TurnPolicy::RoundRobin, timeout_ms: None };
    let refused = house.create(&actor(), None, Setup { turns, ..Setup::default() }, None).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_conversation");
    assert!(refused.to_string().contains("roster"), "{refused}");
    let twice = house.create(&actor(), None, setup(&["a", "a"], limits(None, None)), None).await.unwrap_err();
    assert!(twice.to_string().contains("`a`"), "{twice}");
    house.close().await;
});

on_both!(one_who_is_refused_harms_nobody_in_the_same_transaction, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("full", setup(&[], limits(None, Some(0)))).await;
    house.begin("open", Setup::default()).await;
    let handed_in: Vec<_> = ["full", "open", "missing", "open"]
        .map(|name| house.submit(&actor(), &id(name), say("a", "x")))
        .into_iter()
        .collect();
    let mut ok = Vec::new();
    for outcome in handed_in {
        ok.push(outcome.await.is_ok());
    }
    assert_eq!(ok, [false, true, false, true]);
    house.close().await;
});

/// The database is killed while messages are being said; what was acknowledged is there, once, afterwards.
#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_database_is_killed() {
    let mut server = PostgresServer::start(PostgresOptions {
        durability: Durability::Default,
        ..PostgresOptions::default()
    })
    .unwrap();
    let database = TestDatabase::on(&server).unwrap();
    run(database, async |db: &Db| {
        let house = House::open(db).await;
        house.begin("c", setup(&[], limits(None, Some(10_000)))).await;
        let ear = house.ear("c").await;
        let (mut acknowledged, mut failed) = (Vec::new(), 0);
        for round in 0..6 {
            if round == 2 {
                server.kill();
            }
            if round == 3 {
                server.resume().or_else(|_| server.restart()).unwrap();
            }
            let handed_in: Vec<_> = (0..40)
                .map(|n| {
                    let text = format!("{round}-{n}");
                    (
                        text.clone(),
                        house.submit(&actor(), &id("c"), crate::support::say_as("a", &text, &text)),
                    )
                })
                .collect();
            for (text, outcome) in handed_in {
                match outcome.await {
                    Ok(receipt) => acknowledged.push((receipt.position.offset, text)),
                    Err(SubmitError::Failed(error)) => {
                        assert!(error.retryable(), "{error:?}");
                        failed += 1;
                    }
                    Err(refused) => panic!("{refused}"),
                }
            }
        }
        assert!(failed > 0, "the outage was felt");
        // Whoever was not told tries again under the same id, and everything is there once.
        for round in 0..6 {
            for n in 0..40 {
                let text = format!("{round}-{n}");
                house.order("c", crate::support::say_as("a", &text, &text)).await.unwrap();
            }
        }
        let log = house.log("c").await;
        let said: Vec<_> = log.iter().filter(|line| &*line.event == "message").collect();
        assert_eq!(said.len(), 6 * 40);
        for (offset, text) in &acknowledged {
            let line = &log[usize::try_from(*offset).unwrap() - 1];
            assert_eq!(line.id.as_ref().unwrap().as_str(), text);
        }
        assert_eq!(house.capacity(&id("c")).await.unwrap().total.used.messages, 6 * 40);
        let heard: Vec<u64> = ear.heard().iter().map(|message| message.offset).collect();
        assert_eq!(heard, (2..=log.len() as u64).collect::<Vec<_>>(), "and everything was told, once");
        assert_eq!(json(&ear.heard()[0])["text"], "0-0");
        house.close().await;
    });
}
