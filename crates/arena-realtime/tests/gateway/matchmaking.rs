//! Users' topics as the door of the matchmaker, and who is told of as being in a conversation.

use crate::support::{Client, House};
use arena_realtime::Drain;
use arena_realtime::token::Role;
use serde_json::{Value, json};
use std::time::Duration;

const ANN: &str = "user:ann";

async fn user(house: &House, name: &str) -> Client {
    house.holder_of(&house.token(name, 600, |_| {})).await
}

async fn on(house: &House, name: &str, topic: &str) -> Client {
    let mut client = user(house, name).await;
    client.join(topic, json!({"private": true})).await;
    client
}

async fn service(house: &House, topic: &str) -> Client {
    let token = house.token("api", 600, |claims| claims.role = Role::ServiceRole);
    let mut client = house.holder_of(&token).await;
    client.join(topic, json!({"private": true})).await;
    client
}

fn broadcasts(heard: &[Value]) -> usize {
    heard.iter().filter(|message| message[3] == "broadcast").count()
}

#[tokio::test]
async fn what_a_user_asks_on_its_own_topic_is_answered_to_the_asking_session_alone() {
    let house = House::new();
    let (mut ann, mut elsewhere) = (on(&house, "ann", ANN).await, on(&house, "ann", ANN).await);
    let reference = ann.broadcast(ANN, "match_enqueue", json!({"queue": "strangers"})).await;
    let reply = ann.reply(&reference).await;
    assert_eq!(reply, json!({"status": "ok", "response": {"state": "waiting"}}));
    // By a plain client of Phoenix.
    let reference = ann.push(ANN, "match_status", json!({})).await;
    assert_eq!(ann.reply(&reference).await["status"], "ok");
    let asked = house.stage.matchmaking();
    assert_eq!(asked[0], json!(["ann", "ann", "match_enqueue", r#"{"queue":"strangers"}"#]));
    assert_eq!(asked[1], json!(["ann", "ann", "match_status", "{}"]));
    assert_eq!((broadcasts(&ann.all().await), broadcasts(&elsewhere.all().await)), (0, 0));
    drop((ann, elsewhere));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_refusal_tells_its_code_twice_and_only_to_who_is_refused() {
    let house = House::new();
    let (mut ann, mut elsewhere) = (on(&house, "ann", ANN).await, on(&house, "ann", ANN).await);
    let reference = ann.broadcast(ANN, "match_enqueue", json!({"queue": "none"})).await;
    let reply = ann.reply(&reference).await;
    let reason = "queue_not_found: there is no queue `none`";
    assert_eq!(reply, json!({"status": "error", "response": {"reason": reason, "code": "queue_not_found"}}));
    let told = ann.event(ANN, "broadcast").await;
    let payload =
        json!({"input": "match_enqueue", "code": "queue_not_found", "detail": "there is no queue `none`"});
    assert_eq!((&told["event"], &told["payload"]), (&json!("refused"), &payload));
    assert_eq!(broadcasts(&elsewhere.all().await), 0);
    assert_eq!(house.gateway.stats().refused_messages, 1);
    drop((ann, elsewhere));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_service_asks_for_any_user_and_other_events_are_notices_as_ever() {
    let house = House::new();
    let (mut ann, mut api) = (on(&house, "ann", ANN).await, service(&house, ANN).await);
    let reference = api.broadcast(ANN, "match_status", json!({})).await;
    assert_eq!(api.reply(&reference).await["status"], "ok");
    assert_eq!(house.stage.matchmaking(), [json!(["ann", "api", "match_status", "{}"])]);
    api.broadcast(ANN, "news", json!({"n": 1})).await;
    assert_eq!(ann.event(ANN, "broadcast").await["event"], "news");
    let reference = ann.broadcast(ANN, "news", json!({})).await;
    let reply = ann.reply(&reference).await;
    assert!(reply["response"]["reason"].as_str().unwrap().starts_with("Unauthorized:"), "{reply}");
    assert_eq!(house.stage.matchmaking().len(), 1);
    drop((ann, api));
    house.is_left_empty().await;
}

#[tokio::test]
async fn nobody_gets_to_somebody_elses_topic() {
    let house = House::new();
    let mut bob = user(&house, "bob").await;
    let reply = bob.try_join(ANN, json!({"private": true})).await;
    assert!(reply["response"]["reason"].as_str().unwrap().starts_with("Unauthorized:"), "{reply}");
    let reference = bob.broadcast(ANN, "match_cancel", json!({})).await;
    assert_eq!(bob.reply(&reference).await["response"]["reason"], "unmatched topic");
    assert_eq!(house.stage.matchmaking(), [] as [Value; 0]);
    drop(bob);
    house.is_left_empty().await;
}

#[tokio::test]
async fn an_event_that_is_misspelt_is_refused_with_what_there_is_and_goes_nowhere() {
    let house = House::new();
    let (mut ann, mut api) = (on(&house, "ann", ANN).await, service(&house, ANN).await);
    for client in [&mut ann, &mut api] {
        let reference = client.broadcast(ANN, "match_dance", json!({})).await;
        let reply = client.reply(&reference).await;
        assert_eq!(reply["response"]["code"], "UnknownEvent");
        assert!(reply["response"]["reason"].as_str().unwrap().contains("match_enqueue"), "{reply}");
        assert_eq!(client.event(ANN, "broadcast").await["event"], "refused");
    }
    assert_eq!(broadcasts(&ann.all().await), 0, "not what the service said");
    assert_eq!(house.stage.matchmaking(), [] as [Value; 0]);
    drop((ann, api));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_session_asks_so_much_at_once_and_no_more() {
    let house = House::new();
    let mut ann = on(&house, "ann", ANN).await;
    house.stage.hold();
    let mut asked = Vec::new();
    for _ in 0..17 {
        asked.push(ann.broadcast(ANN, "match_heartbeat", json!({})).await);
    }
    assert_eq!(ann.reply(&asked[16]).await["response"]["code"], "too_many_sayings");
    house.stage.release();
    for reference in &asked[..16] {
        assert_eq!(ann.reply(reference).await["status"], "ok");
    }
    let reference = ann.broadcast(ANN, "match_heartbeat", json!({})).await;
    assert_eq!(ann.reply(&reference).await["status"], "ok");
    drop(ann);
    house.is_left_empty().await;
}

fn attended(conversation: &str, user: &str, present: bool) -> (String, String, bool) {
    (conversation.to_owned(), user.to_owned(), present)
}

#[tokio::test]
async fn the_first_session_that_comes_and_the_last_that_goes_are_told() {
    let house = House::new();
    house.stage.talks.begin("7", &["ann", "bob"]);
    let first = on(&house, "ann", "conversation:7").await;
    house.becomes("ann is there", |house| house.stage.attended() == [attended("7", "ann", true)]).await;
    let mut second = on(&house, "ann", "conversation:7").await;
    drop(first);
    house.becomes("one session is left", |house| house.gateway.stats().sessions == 1).await;
    second.leave("conversation:7").await;
    let whole = [attended("7", "ann", true), attended("7", "ann", false)];
    house.becomes("ann has gone, and is told of once", |house| house.stage.attended() == whole).await;
    drop(second);
    house.is_left_empty().await;
}

#[tokio::test]
async fn whoever_the_roster_does_not_name_is_not_waited_for() {
    let house = House::new();
    house.stage.talks.begin("open", &[]);
    house.stage.talks.begin("7", &["ann"]);
    let mut clients = vec![on(&house, "bob", "conversation:open").await];
    clients.push(service(&house, "conversation:7").await);
    clients.push(on(&house, "ann", "conversation:7").await);
    house.becomes("ann is told of", |house| !house.stage.attended().is_empty()).await;
    drop(clients);
    house.is_left_empty().await;
    let whole = [attended("7", "ann", true), attended("7", "ann", false)];
    house.becomes("nobody else is", |house| house.stage.attended() == whole).await;
}

#[tokio::test]
async fn a_storm_of_departures_is_told_without_holding_anything_up() {
    let house = House::new();
    let names: Vec<String> = (0..200).map(|number| format!("u{number}")).collect();
    let roster: Vec<&str> = names.iter().map(String::as_str).collect();
    house.stage.talks.begin("7", &roster);
    let mut clients = Vec::new();
    for name in &names {
        clients.push(on(&house, name, "conversation:7").await);
    }
    house.becomes("all are there", |house| house.stage.attended().len() == 200).await;
    house.stage.hold();
    drop(clients);
    house.is_left_empty().await;
    assert_eq!(house.stage.attended().len(), 200, "nobody waits for a backstage that does not answer");
    house.stage.release();
    house
        .becomes("all have gone", |house| {
            house.stage.attended().iter().filter(|(_, _, present)| !present).count() == 200
        })
        .await;
}

#[tokio::test]
async fn whoever_goes_because_the_server_does_is_not_said_to_be_away() {
    let house = House::new();
    house.stage.talks.begin("7", &["ann"]);
    let _ann = on(&house, "ann", "conversation:7").await;
    house.becomes("ann is there", |house| house.stage.attended().len() == 1).await;
    let (spread, deadline) = (Duration::ZERO, Duration::from_millis(300));
    house.gateway.drain(Drain { spread, deadline }).await;
    assert_eq!(house.stage.attended(), [attended("7", "ann", true)]);
}
