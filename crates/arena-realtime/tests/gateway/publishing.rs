//! Broadcasts: ids, last values, replays, private topics.

use crate::support::House;
use arena_bus::Payload;
use arena_realtime::Publication;
use arena_realtime::policy::Grants;
use serde_json::{Value, json};

fn quiet(broadcast: Value) -> Value {
    json!({"broadcast": broadcast, "presence": {"enabled": false}})
}

fn payloads(heard: &[Value]) -> Vec<&Value> {
    heard.iter().filter(|m| m[3] == "broadcast").map(|m| &m[4]["payload"]).collect()
}

#[tokio::test]
async fn a_message_under_an_id_that_was_used_is_acknowledged_and_not_said_again() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest().await, house.guest().await);
    ann.join("room:1", quiet(json!({"ack": true}))).await;
    bob.join("room:1", quiet(json!({"ack": true, "id_field": "key"}))).await;
    let message = json!({"type": "broadcast", "event": "e", "payload": {"n": 1}, "meta": {"id": "m-1"}});
    let mut replies = Vec::new();
    for _ in 0..2 {
        let reference = ann.push("room:1", "broadcast", message.clone()).await;
        replies.push(ann.reply(&reference).await["response"].clone());
    }
    assert_eq!((&replies[0]["duplicate"], &replies[1]["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(replies[0]["offset"], replies[1]["offset"]);
    assert_eq!(payloads(&bob.all().await).len(), 1);
    // The same id by somebody else is another message, and an id may stand in the payload.
    for duplicate in [false, true] {
        let reference = bob.broadcast("room:1", "e", json!({"quo\"te": [1], "key": "m-1"})).await;
        assert_eq!(bob.reply(&reference).await["response"]["duplicate"], duplicate);
    }
    assert_eq!(payloads(&ann.all().await).len(), 1);
    drop((ann, bob));
    house.is_left_empty().await;
}

#[tokio::test]
async fn one_that_comes_later_gets_the_last_value_or_a_replay_if_it_asks() {
    let house = House::new();
    let mut ann = house.guest().await;
    ann.join("room:1", quiet(json!({}))).await;
    for n in 0..5 {
        ann.broadcast("room:1", "e", json!({"n": n})).await;
    }
    ann.all().await;
    let mut bob = house.guest().await;
    let response = bob.join("room:1", quiet(json!({"last": true}))).await;
    assert_eq!(response["last"]["payload"]["n"], 4);
    assert_eq!(bob.all().await.len(), 0);
    let replay = quiet(json!({"replay": {"since": 0, "limit": 2}}));
    bob.join("room:1", replay).await;
    let heard = bob.all().await;
    assert_eq!(payloads(&heard), [&json!({"n": 3}), &json!({"n": 4})]);
    assert!(heard.iter().all(|m| m[4]["meta"]["replayed"] == true));
    drop((ann, bob));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_private_topic_and_the_public_one_of_its_name_share_nothing() {
    let house = House::new();
    let token = house.token("ann", 600, |claims| {
        let pattern = || vec!["room:*".parse().unwrap()];
        claims.topics = Grants { read: pattern(), write: pattern(), presence: Vec::new() };
    });
    let (mut ann, mut bob) = (house.holder_of(&token).await, house.guest().await);
    let private = json!({"private": true, "broadcast": {"ack": true}, "presence": {"enabled": false}});
    ann.join("room:1", private.clone()).await;
    bob.join("room:1", quiet(json!({"ack": true}))).await;
    let refused = house.guest().await.try_join("room:1", private).await;
    assert_eq!(
        refused["response"]["reason"],
        "Unauthorized: You do not have permissions to read from this Channel topic: room:1"
    );
    for client in [&mut ann, &mut bob] {
        let reference = client.broadcast("room:1", "e", json!({})).await;
        assert_eq!(client.reply(&reference).await["response"]["offset"], 1);
    }
    assert_eq!((ann.all().await.len(), bob.all().await.len()), (0, 0));
    drop((ann, bob));
    house.is_left_empty().await;
}

#[tokio::test]
async fn what_is_published_from_outside_is_heard_and_a_topic_without_members_swallows_it() {
    let house = House::new();
    let caller =
        arena_realtime::policy::Caller { peer: [127, 0, 0, 1].into(), forwarded: false, origin: None };
    let (who, _) = house.gateway.identify(None, &caller).unwrap();
    let topic = "room:1".parse().unwrap();
    let message = Publication {
        topic: &topic,
        private: false,
        event: "e",
        payload: Payload::Json("{}".into()),
        id: None,
    };
    assert_eq!(house.gateway.publish(&who, message.clone()), Ok(None));
    let mut client = house.guest().await;
    client.join("room:1", quiet(json!({}))).await;
    assert_eq!(house.gateway.publish(&who, message).unwrap().unwrap().position.offset, 1);
    assert_eq!(client.all().await.len(), 1);
    drop(client);
    house.is_left_empty().await;
}
