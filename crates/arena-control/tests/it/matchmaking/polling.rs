//! Long polls: woken by what happens here, and by what happens elsewhere soon after.

use super::house::{House, code, idle, pairs, quick};
use crate::support::Db;
use arena_control::MatchmakingSettings;
use arena_core::matching::{Rules, TicketId, TicketState};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);

on_both!(whoever_waits_for_a_ticket_is_woken_by_its_match, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let ada = house.joins("ada").await;
    let version = house.ticket(ada).await.unwrap().ticket.version;
    let began = Instant::now();
    let (woken, bob) = tokio::join!(house.wait(ada, version, LONG), house.joins("bob"));
    assert_eq!(woken.unwrap().ticket.state, TicketState::Proposed);
    assert!(began.elapsed() < LONG / 3, "{:?}", began.elapsed());
    let version = house.ticket(bob).await.unwrap().ticket.version;
    let at_once = house.wait(bob, version - 1, LONG).await.unwrap();
    assert_eq!(at_once.ticket.version, version, "what has happened already is not waited for");
    house.close(db).await;
});

on_both!(nothing_new_is_told_after_the_time_that_was_asked_for, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let ada = house.joins("ada").await;
    let version = house.ticket(ada).await.unwrap().ticket.version;
    let began = Instant::now();
    let same = house.wait(ada, version, Duration::from_millis(200)).await.unwrap();
    assert_eq!(same.ticket.version, version);
    assert!(began.elapsed() >= Duration::from_millis(200));
    let none = house
        .wait("00000000-0000-0000-0000-000000000000".parse::<TicketId>().unwrap(), 1, LONG)
        .await
        .unwrap_err();
    assert_eq!(code(none), "ticket_not_found");
    house.close(db).await;
});

on_both!(changes_by_another_process_wake_too, async |db: &Db| {
    let (house, other) = (House::open(db, idle()).await, House::open(db, quick()).await);
    house.rules(pairs()).await;
    let ada = house.joins("ada").await;
    let version = house.ticket(ada).await.unwrap().ticket.version;
    let (woken, _) = tokio::join!(house.wait(ada, version, LONG), other.joins("bob"));
    assert_eq!(woken.unwrap().ticket.state, TicketState::Proposed);
    house.close(db).await;
    other.close(db).await;
});

on_both!(one_poll_too_many_is_refused_and_room_comes_back, async |db: &Db| {
    let house = House::open(db, MatchmakingSettings { max_polls: 2, ..idle() }).await;
    house.rules(pairs()).await;
    let ada = house.joins("ada").await;
    let version = house.ticket(ada).await.unwrap().ticket.version;
    let short = Duration::from_millis(300);
    let (one, other, third) = tokio::join!(
        house.wait(ada, version, short),
        house.wait(ada, version, short),
        house.wait(ada, version, short)
    );
    one.unwrap();
    other.unwrap();
    assert_eq!(code(third.unwrap_err()), "overloaded");
    // One that is given up makes room too.
    for _ in 0..5 {
        assert!(
            tokio::time::timeout(Duration::from_millis(5), house.wait(ada, version, LONG)).await.is_err()
        );
    }
    house.wait(ada, version, Duration::ZERO).await.unwrap();
    house.close(db).await;
});

on_both!(waiting_counts_as_being_there, async |db: &Db| {
    let house = House::open(db, idle()).await;
    house.rules(Rules { silent_ms: 2_000, ..pairs() }).await;
    let ada = house.joins("ada").await;
    let version = house.ticket(ada).await.unwrap().ticket.version;
    let view = house.wait(ada, version, Duration::from_millis(5_000)).await.unwrap();
    assert_eq!(view.ticket.state, TicketState::Waiting);
    let gone = house.wait(ada, version + 1, LONG);
    drop(gone);
    house.until(ada, TicketState::Over).await;
    house.close(db).await;
});

on_both!(a_poll_ends_with_the_server, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let ada = house.joins("ada").await;
    let service = arena_control::Matchmaking::clone(&house);
    let version = house.ticket(ada).await.unwrap().ticket.version;
    let wait = async move { service.wait(ada, version, LONG).await };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        house.close(db).await;
    };
    let (ended, ()) = tokio::join!(wait, stop);
    assert_eq!(code(ended.unwrap_err()), "shutting_down");
});
