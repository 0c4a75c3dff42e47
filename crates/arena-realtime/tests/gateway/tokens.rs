//! Tokens that end, and tokens that are renewed.

use crate::support::House;
use arena_realtime::policy::Grants;
use arena_realtime::token::{Claims, SeatClaim};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

fn private() -> Value {
    json!({"private": true, "broadcast": {"ack": true}, "presence": {"key": "me"}})
}

fn grants(read: bool, write: bool, presence: bool) -> impl FnOnce(&mut Claims) {
    let topics = |granted: bool| if granted { vec!["room:*".parse().unwrap()] } else { Vec::new() };
    move |claims| {
        claims.topics = Grants { read: topics(read), write: topics(write), presence: topics(presence) };
    }
}

#[tokio::test]
async fn a_token_that_ends_is_warned_of_and_then_ends_its_topics_only() {
    let house = House::new();
    let mut client = house.guest().await;
    client.join("lobby:a", json!({"presence": {"enabled": false}})).await;
    let token = house.token("ann", 2, grants(true, true, true));
    let mut join = json!({"config": private()});
    join["access_token"] = token.into();
    let reference = client.push("room:1", "phx_join", join).await;
    let reply = client.reply(&reference).await;
    assert!(reply["response"]["token_ttl_secs"].as_u64().unwrap() <= 2, "{reply}");
    let warning = client.event("room:1", "system").await;
    assert_eq!(warning["status"], "ok", "an error would make clients join again");
    assert!(warning["message"].as_str().unwrap().starts_with("Token expires in "), "{warning}");
    let end = client.event("room:1", "system").await;
    assert_eq!((&end["status"], &end["channel"]), (&json!("error"), &json!("room:1")));
    assert!(end["message"].as_str().unwrap().starts_with("InvalidJWTToken: Token has expired "), "{end}");
    let close = client.until(|m| m[3] == "phx_close").await;
    assert_eq!((&close[0], &close[1]), (&json!("room:1"), &json!("room:1")));
    client.broadcast("lobby:a", "e", json!({})).await;
    client.all().await;
    assert_eq!(house.gateway.stats().messages, 1, "the other topic goes on");
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_join_by_a_token_that_has_ended_is_refused_in_the_answer() {
    let house = House::new();
    let token = house.token("ann", 1, |_| {});
    let mut client = house.holder_of(&token).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let reply = client.try_join("lobby:a", json!({})).await;
    let reason = reply["response"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("InvalidJWTToken: Token has expired "), "{reason}");
    let Err(refusal) = house.admit("2.0.0", Some(&token)) else { panic!("let in") };
    assert_eq!((refusal.status, refusal.error.as_str()), (401, "Token has expired"));
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_token_that_is_renewed_in_time_keeps_its_topic() {
    let house = House::with(|settings| settings.token_grace = Duration::from_secs(1));
    let mut client = house.holder_of(&house.token("ann", 2, grants(true, true, true))).await;
    client.join("room:1", private()).await;
    client.event("room:1", "system").await;
    let token = house.token("ann", 600, grants(true, true, true));
    let reference = client.push("room:1", "access_token", json!({"access_token": token})).await;
    assert!(client.reply(&reference).await["response"]["token_ttl_secs"].as_u64().unwrap() > 500);
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    let reference = client.broadcast("room:1", "e", json!({})).await;
    assert_eq!(client.reply(&reference).await["status"], "ok");
    assert!(client.all().await.iter().all(|m| m[3] != "system" && m[3] != "phx_close"));
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_token_of_less_rights_takes_them_away_and_one_of_none_ends_the_topic() {
    let house = House::new();
    let mut client = house.holder_of(&house.token("ann", 600, grants(true, true, true))).await;
    let mut watcher = house.holder_of(&house.token("bob", 600, grants(true, true, true))).await;
    watcher.join("room:1", json!({"private": true})).await;
    client.join("room:1", private()).await;
    client.track("room:1", json!({})).await;
    let diff = watcher.event("room:1", "presence_diff").await;
    assert!(diff["joins"]["me"].is_object(), "{diff}");

    let less = house.token("ann", 600, grants(true, false, false));
    let reference = client.push("room:1", "access_token", json!({"access_token": less})).await;
    assert_eq!(client.reply(&reference).await["status"], "ok");
    let diff = watcher.event("room:1", "presence_diff").await;
    assert!(diff["leaves"]["me"].is_object(), "{diff}");
    for (event, payload) in
        [("broadcast", json!({"event": "e"})), ("presence", json!({"event": "track", "payload": {}}))]
    {
        let reference = client.push("room:1", event, payload).await;
        let reply = client.reply(&reference).await;
        assert!(reply["response"]["reason"].as_str().unwrap().starts_with("Unauthorized: "), "{reply}");
    }
    watcher.broadcast("room:1", "e", json!({})).await;
    client.event("room:1", "broadcast").await;

    let none = house.token("ann", 600, |_| {});
    let reference = client.push("room:1", "access_token", json!({"access_token": none})).await;
    assert_eq!(client.reply(&reference).await["status"], "error");
    assert_eq!(client.event("room:1", "system").await["status"], "error");
    client.until(|m| m[3] == "phx_close").await;
    drop((client, watcher));
    house.is_left_empty().await;
}

#[tokio::test]
async fn tokens_that_are_none_and_bad_ones_change_nothing() {
    let house = House::new();
    let mut client = house.holder_of(&house.token("ann", 600, grants(true, true, true))).await;
    client.join("room:1", private()).await;
    for (token, status) in [
        (Value::Null, "ok"),
        (json!("sb_publishable_x"), "ok"),
        (json!(7), "ok"),
        (json!(""), "error"),
        (json!("a.b.c"), "error"),
        (json!("x".repeat(100_000)), "error"),
        (json!(House::new().token("ann", 600, |_| {})), "error"),
    ] {
        let reference = client.push("room:1", "access_token", json!({"access_token": token})).await;
        assert_eq!(client.reply(&reference).await["status"], status, "{token}");
    }
    let reference = client.broadcast("room:1", "e", json!({})).await;
    assert_eq!(client.reply(&reference).await["status"], "ok");
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_seat_goes_with_the_user_whom_a_new_token_names() {
    let house = House::new();
    let player = Uuid::new_v4();
    let mut client = house.holder_of(&house.ticket(player, "main")).await;
    let config = json!({"broadcast": {"ack": true}, "presence": {"enabled": false}});
    client.join("world:main", config).await;
    for (user, seated) in [(player.to_string(), true), ("somebody-else".to_owned(), false)] {
        // Clients renew tokens without knowing of seats.
        let token = house.token(&user, 600, |_| {});
        let reference = client.push("world:main", "access_token", json!({"access_token": token})).await;
        assert_eq!(client.reply(&reference).await["status"], "ok");
        let reference = client.broadcast("world:main", "move", json!({})).await;
        let reply = client.reply(&reference).await;
        assert_eq!(reply["status"] == "ok", seated, "{reply}");
    }
    house.becomes("the seat is left", |house| house.stage.holder(player).is_none()).await;
    house.stage.tick("main");
    client.event("world:main", "broadcast").await;
    // A ticket to another seat of the same world gives no right to this one, nor to that one before it is taken.
    let other = SeatClaim { player: Uuid::new_v4(), channel: "main".into() };
    let token = house.token("somebody-else", 600, |claims| claims.seat = Some(other));
    let reference = client.push("world:main", "access_token", json!({"access_token": token})).await;
    client.reply(&reference).await;
    let reference = client.broadcast("world:main", "move", json!({})).await;
    assert_eq!(client.reply(&reference).await["status"], "error");
    drop(client);
    house.is_left_empty().await;
}
