//! The end: everybody is told to come back, one after the other, and nothing is left.

use crate::support::{Client, House, aside};
use arena_realtime::Drain;
use serde_json::json;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn restart() -> Option<(u16, String)> {
    Some((1012, "service restart".to_owned()))
}

/// Reads to the end; when the close came.
async fn end_of(mut client: Client) -> Instant {
    assert_eq!(client.closing().await, restart());
    Instant::now()
}

#[tokio::test]
async fn everybody_is_sent_away_in_turn_with_1012_and_all_seats_are_exited() {
    let house = House::new();
    let mut clients = Vec::new();
    for n in 0..20 {
        let mut client = house.holder_of(&house.ticket(Uuid::from_u128(n), "main")).await;
        client.join("world:main", json!({})).await;
        client.join("lobby:a", json!({})).await;
        clients.push(aside(end_of(client)));
    }
    let spread = Duration::from_millis(400);
    let began = Instant::now();
    assert!(house.gateway.drain(Drain { spread, deadline: Duration::from_secs(20) }).await);
    let mut ends = Vec::new();
    for client in clients {
        ends.push(client.await.unwrap());
    }
    assert!(ends.is_sorted(), "whoever came first goes first");
    assert!(ends[19] - ends[0] >= spread / 2, "not all at once");
    assert!(began.elapsed() >= spread / 2);
    let stats = house.gateway.stats();
    assert_eq!((stats.sessions, stats.rooms), (0, 0));
    assert!(house.stage.every_seat_was_exited_once());
    assert!((0..20).all(|n| house.stage.holder(Uuid::from_u128(n)).is_none()));
}

#[tokio::test]
async fn nobody_new_is_let_in_while_the_others_go() {
    let house = House::new();
    let mut client = house.guest().await;
    client.join("lobby:a", json!({})).await;
    // Let in before the end began, and started after.
    let admitted = house.admit("2.0.0", None).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let late = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (theirs, _) = listener.accept().await.unwrap();
    let gateway = house.gateway.clone();
    let drain = Drain { spread: Duration::from_millis(100), deadline: Duration::from_secs(60) };
    let drained = aside(async move { gateway.drain(drain).await });
    while house.admit("2.0.0", None).is_ok() {
        tokio::task::yield_now().await;
    }
    let Err(refusal) = house.admit("2.0.0", None) else { panic!("let in") };
    assert_eq!((refusal.status, refusal.retry_after_secs), (503, Some(2)));
    assert!(refusal.error.starts_with("RealtimeRestarting: "), "{refusal}");
    house.gateway.start_session(admitted, theirs, Vec::new());
    assert_eq!(Client::new(late).closing().await, restart());
    end_of(client).await;
    assert!(drained.await.unwrap(), "it waited for one whom nobody told to go");
    assert_eq!(house.gateway.stats().sessions, 0);
}

#[tokio::test]
async fn those_who_do_not_close_are_cut_off_at_the_deadline() {
    let house = House::new();
    let player = Uuid::new_v4();
    let mut deaf = house.holder_of(&house.ticket(player, "main")).await;
    deaf.join("world:main", json!({})).await;
    // So much that the close cannot be written.
    for _ in 0..200 {
        house.stage.long_tick("main", 60_000);
    }
    let deadline = Duration::from_millis(300);
    let in_time = house.gateway.drain(Drain { spread: Duration::ZERO, deadline }).await;
    assert!(!in_time);
    let stats = house.gateway.stats();
    assert_eq!((stats.sessions, stats.rooms), (0, 0));
    assert_eq!(house.stage.holder(player), None);
    drop(deaf);
}

#[tokio::test]
async fn a_backstage_that_does_not_answer_does_not_hold_up_the_end() {
    let house = House::new();
    let mut client = house.holder_of(&house.ticket(Uuid::new_v4(), "main")).await;
    house.stage.hold();
    client.ask_to_join("world:main", json!({})).await;
    house.stage.is_asked(1).await;
    let drain = Drain { spread: Duration::ZERO, deadline: Duration::from_millis(200) };
    let client = aside(end_of(client));
    let drained = tokio::time::timeout(Duration::from_secs(15), house.gateway.drain(drain)).await;
    assert_eq!(drained, Ok(false));
    client.await.unwrap();
    assert_eq!(house.gateway.stats().sessions, 0);
}

#[tokio::test]
async fn those_who_stay_longer_still_see_who_goes() {
    let house = House::new();
    let mut others = Vec::new();
    for _ in 0..40 {
        others.push(aside(end_of(house.guest().await)));
    }
    let mut watcher = house.guest().await;
    watcher.join("lobby:a", json!({})).await;
    let mut pair = Vec::new();
    for key in ["a", "b"] {
        let mut client = house.guest().await;
        client.join("lobby:a", json!({"presence": {"key": key}})).await;
        client.track("lobby:a", json!({})).await;
        pair.push(client);
    }
    let (mut came, mut left) = (Vec::new(), Vec::new());
    while came.len() < 2 {
        let diff = watcher.event("lobby:a", "presence_diff").await;
        came.extend(diff["joins"].as_object().unwrap().keys().cloned());
    }
    let gateway = house.gateway.clone();
    let drain = Drain { spread: Duration::from_secs(1), deadline: Duration::from_secs(20) };
    let drained = aside(async move { gateway.drain(drain).await });
    // At once, so that the second is told only when the window of the first has ended.
    drop(pair);
    while left.len() < 2 {
        let diff = watcher.event("lobby:a", "presence_diff").await;
        left.extend(diff["leaves"].as_object().unwrap().keys().cloned());
    }
    assert_eq!(left, ["a", "b"]);
    end_of(watcher).await;
    for other in others {
        other.await.unwrap();
    }
    assert!(drained.await.unwrap());
}
