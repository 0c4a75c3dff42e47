//! Messages that are not the same for all.

use crate::support::{Client, House};
use arena_bus::{Audience, Draft, Message, Payload, Rest, Sink, Stream};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

const TOPIC: &str = "room:1";

fn quiet(broadcast: Value) -> Value {
    json!({"broadcast": broadcast, "presence": {"enabled": false}})
}

async fn user(house: &House, name: &str) -> Client {
    house.holder_of(&house.token(name, 600, |_| {})).await
}

fn stream(house: &House) -> Arc<Stream> {
    house.bus.open(&TOPIC.parse().unwrap()).unwrap()
}

fn json_of(text: &str) -> Payload {
    Payload::Json(text.to_owned().into())
}

/// Says `all` to everybody but these, who get `instead`.
fn say(stream: &Arc<Stream>, all: &str, users: &[&str], instead: Option<&str>) {
    let users = users.iter().copied().map(Arc::from).collect();
    let audience = Some(Arc::new(Audience { users, instead: instead.map(json_of) }));
    stream.publish(Draft { audience, ..Draft::new("e", json_of(all)) }).unwrap();
}

/// What a client has been told so far: the offsets and the payloads.
async fn told(client: &mut Client) -> Vec<(u64, Value)> {
    let all = client.all().await;
    let broadcasts = all.iter().filter(|message| message[3] == "broadcast");
    broadcasts
        .map(|message| (message[4]["meta"]["offset"].as_u64().unwrap(), message[4]["payload"].clone()))
        .collect()
}

#[tokio::test]
async fn some_get_another_version_or_nothing_and_the_others_what_was_said() {
    let house = House::new();
    let (mut ann, mut bob) = (user(&house, "ann").await, user(&house, "bob").await);
    for client in [&mut ann, &mut bob] {
        client.join(TOPIC, quiet(json!({}))).await;
    }
    let stream = stream(&house);
    say(&stream, "1", &["ann"], Some("10"));
    say(&stream, "2", &["ann"], None);
    say(&stream, "3", &[], None);
    say(&stream, "4", &["ann", "bob"], Some("40"));
    stream.publish(Draft::new("e", json_of("5"))).unwrap();
    let expected = [(1, json!(10)), (3, json!(3)), (4, json!(40)), (5, json!(5))];
    assert_eq!(told(&mut ann).await, expected);
    let expected = [(1, json!(1)), (2, json!(2)), (3, json!(3)), (4, json!(40)), (5, json!(5))];
    assert_eq!(told(&mut bob).await, expected);
    drop((ann, bob, stream));
    house.is_left_empty().await;
}

/// Keeps what is published waiting until it is opened.
struct Gate(Arc<Semaphore>);

impl Sink for Gate {
    fn deliver(&self, _: &[Arc<Message>]) -> Option<Rest> {
        let open = Arc::clone(&self.0);
        Some(Box::pin(async move { drop(open.acquire().await) }))
    }
}

#[tokio::test]
async fn versions_are_kept_apart_in_what_is_handed_over_together() {
    let house = House::new();
    let (mut ann, mut bob) = (user(&house, "ann").await, user(&house, "bob").await);
    for client in [&mut ann, &mut bob] {
        client.join(TOPIC, quiet(json!({}))).await;
    }
    let (stream, open) = (stream(&house), Arc::new(Semaphore::new(0)));
    let gate = Arc::new(Gate(Arc::clone(&open))) as Arc<dyn Sink>;
    stream.attach(Arc::clone(&gate));
    for n in 1..=200 {
        let instead = (n % 3 == 0).then(|| format!("-{n}"));
        let users: &[&str] = if n % 2 == 0 { &["ann"] } else { &[] };
        say(&stream, &n.to_string(), users, instead.as_deref());
    }
    open.add_permits(1_000);
    house.becomes("all is handed over", |_| stream.waiting() == 0).await;
    stream.detach(&gate);
    let all: Vec<_> = (1..=200).map(|n| (n, json!(n))).collect();
    assert_eq!(told(&mut bob).await, all);
    let for_ann = |n: i64| match (n % 2, n % 3) {
        (0, 0) => Some((n as u64, json!(-n))),
        (0, _) => None,
        _ => Some((n as u64, json!(n))),
    };
    assert_eq!(told(&mut ann).await, (1..=200).filter_map(for_ann).collect::<Vec<_>>());
    drop((ann, bob, stream));
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_comes_back_gets_the_version_that_was_meant_for_it() {
    let house = House::new();
    let stream = stream(&house);
    let start = stream.position();
    say(&stream, "1", &["ann"], Some("10"));
    say(&stream, "2", &["ann"], None);
    let recover = json!({"recover": {"offset": 0, "epoch": start.epoch.as_str()}, "last": true});
    for (name, heard, last) in
        [("ann", vec![(1, json!(10))], None), ("bob", vec![(1, json!(1)), (2, json!(2))], Some(json!(2)))]
    {
        let mut client = user(&house, name).await;
        let response = client.join(TOPIC, quiet(recover.clone())).await;
        assert_eq!(response["recovered"], true);
        assert_eq!(response.get("last").map(|last| last["payload"].clone()), last, "{name}");
        assert_eq!(told(&mut client).await, heard, "{name}");
        client.join(TOPIC, quiet(json!({"replay": {"since": 0}}))).await;
        assert_eq!(told(&mut client).await, heard, "{name}");
    }
    drop(stream);
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_is_somebody_else_by_a_new_token_gets_what_is_meant_for_that_one() {
    let house = House::new();
    let mut client = user(&house, "ann").await;
    client.join(TOPIC, quiet(json!({}))).await;
    let token = house.token("bob", 600, |_| {});
    let renewed = client.push(TOPIC, "access_token", json!({"access_token": token})).await;
    assert_eq!(client.reply(&renewed).await["status"], "ok");
    let stream = stream(&house);
    say(&stream, "1", &["ann"], None);
    say(&stream, "2", &["bob"], None);
    assert_eq!(told(&mut client).await, [(1, json!(1))]);
    drop((client, stream));
    house.is_left_empty().await;
}
