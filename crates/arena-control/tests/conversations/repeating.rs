//! A message is charged once, however often it comes.

use crate::support::{Db, House, actor, id, limits, line, message, say_as, setup, who};
use arena_core::conversation::{Code, Command, Say};

on_both!(a_repeat_gets_the_outcome_of_the_first_and_costs_nothing, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(Some(2), None))).await;
    let first = house.order("c", say_as("a", "hello", "m1")).await.unwrap();
    for _ in 0..3 {
        let again = house.order("c", say_as("a", "hello", "m1")).await.unwrap();
        assert_eq!((again.position, again.repeated), (first.position.clone(), true));
        assert_eq!(again.message_id.as_deref(), Some("m1"));
    }
    house.order("c", say_as("a", "again", "m2")).await.unwrap();
    assert_eq!(house.count("c", "message").await, 2);
    let again = house.order("c", say_as("a", "hello", "m1")).await.unwrap();
    assert!(again.repeated, "a repeat is answered though nothing is left");
    house.close().await;
});

on_both!(the_same_id_for_something_else_is_a_conflict, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, None))).await;
    house.order("c", say_as("a", "hello", "m1")).await.unwrap();
    assert_eq!(house.refused("c", say_as("a", "good bye", "m1")).await.code, Code::IdConflict);
    assert_eq!(house.refused("c", say_as("b", "hello", "m1")).await.code, Code::IdConflict, "of whomever");
    let say = Say { tokens: 7, id: Some(message("m1")), ..line("a", "hello") };
    assert_eq!(house.refused("c", Command::Say(say)).await.code, Code::IdConflict);
    assert_eq!(house.count("c", "message").await, 1);
    house.close().await;
});

on_both!(repeats_are_known_after_a_crash_and_long_afterwards, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(301)))).await;
    let first = house.order("c", say_as("a", "hello", "m0")).await.unwrap();
    for n in 1..=300 {
        house.order("c", say_as("a", "filler", &format!("m{n}"))).await.unwrap();
    }
    let again = house.order("c", say_as("a", "hello", "m0")).await.unwrap();
    assert_eq!(
        (again.position.offset, again.repeated),
        (first.position.offset, true),
        "not in memory any more"
    );
    house.crash().await;

    let house = House::open(db).await;
    let again = house.order("c", say_as("a", "hello", "m0")).await.unwrap();
    assert_eq!((again.position, again.repeated), (first.position, true));
    assert_eq!(house.refused("c", say_as("a", "other", "m0")).await.code, Code::IdConflict);
    assert_eq!(house.count("c", "message").await, 301);
    house.close().await;
});

on_both!(one_message_by_many_paths_at_once_is_said_once, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(100)))).await;
    let mut paths = tokio::task::JoinSet::new();
    for path in 0..64 {
        let conversations = house.clone();
        let command = say_as("a", "hello", &format!("m{}", path % 4));
        paths.spawn(async move { conversations.submit(&actor(), &id("c"), command).await.unwrap() });
    }
    let receipts = paths.join_all().await;
    assert_eq!(receipts.iter().filter(|receipt| !receipt.repeated).count(), 4);
    assert_eq!(house.count("c", "message").await, 4);
    house.close().await;
});

on_both!(old_ids_do_no_harm_to_those_who_share_their_transaction, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, None))).await;
    house.begin("d", setup(&[], limits(None, None))).await;
    house.order("c", say_as("a", "old", "old")).await.unwrap();
    house.crash().await;

    // Not known in memory, so the whole transaction is refused by the database and done again.
    let house = House::open(db).await;
    let handed_in: Vec<_> = (0..50)
        .flat_map(|n| {
            let old = house.submit(&actor(), &id("c"), say_as("a", "old", "old"));
            let new = house.submit(&actor(), &id("d"), say_as("b", "new", &format!("n{n}")));
            [(true, Box::pin(old) as std::pin::Pin<Box<dyn Future<Output = _>>>), (false, Box::pin(new))]
        })
        .collect();
    for (old, outcome) in handed_in {
        assert_eq!(outcome.await.unwrap().repeated, old);
    }
    assert_eq!(house.count("c", "message").await, 1);
    assert_eq!(house.count("d", "message").await, 50);
    assert_eq!(house.capacity(&id("c")).await.unwrap().total.used.messages, 1);
    assert!(
        house
            .capacity(&id("d"))
            .await
            .unwrap()
            .participants
            .iter()
            .all(|share| share.participant == who("b"))
    );
    house.close().await;
});

on_both!(a_drop_that_comes_by_two_paths_is_told_once, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(1)))).await;
    let ear = house.ear("c").await;
    house.order("c", say_as("a", "1", "m1")).await.unwrap();
    for _ in 0..3 {
        house.refused("c", say_as("a", "2", "m2")).await;
    }
    house.refused("c", say_as("a", "3", "m3")).await;
    house.told("c").await;
    assert_eq!(ear.of("channel_capacity_exceeded").len(), 2, "one for each message that was dropped");
    house.close().await;
});

on_both!(a_repeat_within_one_transaction_is_a_repeat_however_many_stand_between, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, None))).await;
    let ids: Vec<String> = (0..200).map(|n| format!("m{}", n % 100)).collect();
    let handed_in: Vec<_> =
        ids.iter().map(|name| house.submit(&actor(), &id("c"), say_as("a", "hello", name))).collect();
    let mut repeated = 0;
    for outcome in handed_in {
        repeated += usize::from(outcome.await.unwrap().repeated);
    }
    assert_eq!((repeated, house.count("c", "message").await), (100, 100));
    assert!(house.stats().retries < 4, "no transaction is tried in vain again and again");
    house.close().await;
});
