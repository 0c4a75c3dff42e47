//! Coming back: what was missed is given once and in order, or it is said that it cannot be.

use crate::support::{Client, House};
use arena_bus::{BusSettings, Draft, Payload};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The position in an answer or a meta.
fn place(value: &Value) -> (u64, String) {
    (value["offset"].as_u64().unwrap(), value["epoch"].as_str().unwrap().to_owned())
}

fn recover(at: &(u64, String)) -> Value {
    json!({"broadcast": {"recover": {"offset": at.0, "epoch": at.1}}, "presence": {"enabled": false}})
}

#[tokio::test]
async fn who_comes_back_gets_what_it_missed_once_and_in_order() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest().await, house.guest().await);
    ann.join("room:1", json!({"presence": {"enabled": false}})).await;
    let at = place(&bob.join("room:1", json!({"presence": {"enabled": false}})).await["position"]);
    drop(bob);
    for n in 1..=10 {
        ann.broadcast("room:1", "e", json!(n)).await;
    }
    ann.all().await;
    let mut bob = house.guest().await;
    let response = bob.join("room:1", recover(&at)).await;
    assert_eq!((&response["recovered"], place(&response["position"])), (&json!(true), at.clone()));
    let heard = bob.all().await;
    let offsets: Vec<_> = heard.iter().map(|m| place(&m[4]["meta"]).0).collect();
    assert_eq!(offsets, (1..=10).collect::<Vec<_>>());
    assert!(heard.iter().all(|m| m[4]["meta"]["replayed"] == true));

    // More than the history holds: said, and not papered over.
    for _ in 0..100 {
        ann.broadcast("room:1", "e", json!(0)).await;
    }
    ann.all().await;
    let mut carl = house.guest().await;
    let response = carl.join("room:1", recover(&at)).await;
    assert_eq!((&response["recovered"], place(&response["position"]).0), (&json!(false), 110));
    assert_eq!(carl.all().await.len(), 0);
    let stats = house.gateway.stats();
    assert_eq!((stats.recovered, stats.not_recovered), (1, 1));
    drop((ann, bob, carl));
    house.is_left_empty().await;
}

#[tokio::test]
async fn positions_that_never_were_recover_nothing_and_break_nothing() {
    let house = House::new();
    let mut client = house.guest().await;
    let (offset, epoch) = place(&client.join("room:1", json!({})).await["position"]);
    for (offset, epoch) in [
        (offset + 1, epoch.clone()),
        (u64::MAX, epoch.clone()),
        (offset, "\"".to_owned()),
        (offset, String::new()),
        (offset, "e".repeat(10_000)),
    ] {
        let response = client.join("room:1", recover(&(offset, epoch))).await;
        assert_eq!(response["recovered"], false, "{response}");
    }
    drop(client);
    house.is_left_empty().await;
}

/// Messages of one byte in the history of the travellers' topic.
const HISTORY: usize = 2_000;

/// A client that loses its connection again and again. Checks all that it is told.
struct Traveller {
    at: Option<(u64, String)>,
}

impl Traveller {
    async fn live(&mut self, house: &House, topic: &str, lives: u32) {
        let stream = house.bus.open(&topic.parse().unwrap()).unwrap();
        for life in 0..lives {
            // Now and then it stays away for longer than the history reaches.
            while life % 10 == 9
                && self
                    .at
                    .as_ref()
                    .is_some_and(|(offset, _)| stream.position().offset < offset + HISTORY as u64 + 1)
            {
                tokio::task::yield_now().await;
            }
            let mut client = house.guest().await;
            let config = self.at.as_ref().map_or_else(|| json!({"presence": {"enabled": false}}), recover);
            let response = client.join(topic, config).await;
            let position = place(&response["position"]);
            match &self.at {
                Some(at) if response["recovered"] == true => {
                    assert_eq!(at, &position, "it goes on elsewhere");
                }
                _ => self.at = Some(position),
            }
            for _ in 0..(life * 7) % 40 {
                let message = client.event(topic, "broadcast").await;
                let now = place(&message["meta"]);
                let (offset, epoch) = self.at.clone().unwrap();
                assert_eq!(now, (offset + 1, epoch), "a gap or a repetition nobody was told of");
                self.at = Some(now);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn over_all_its_lives_a_client_sees_no_gap_that_it_is_not_told_of_while_threads_publish() {
    let mut bus = BusSettings::default();
    (bus.other.messages, bus.other.bytes) = (HISTORY, HISTORY);
    let house = House::over(bus, |_| {});
    let stop = Arc::new(AtomicBool::new(false));
    let topic = "room:1".parse().unwrap();
    let stream = house.bus.open(&topic).unwrap();
    let publishers: Vec<_> = (0..3)
        .map(|_| {
            let (stream, stop) = (Arc::clone(&stream), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // Refused where it is too fast: then there is no message, and no gap.
                    let _ = stream.publish(Draft::new("e", Payload::Json("1".into())));
                    std::thread::yield_now();
                }
            })
        })
        .collect();
    for _ in 0..4 {
        Traveller { at: None }.live(&house, "room:1", 30).await;
    }
    stop.store(true, Ordering::Relaxed);
    publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
    drop(stream);
    let stats = house.gateway.stats();
    assert!(stats.recovered > 0 && stats.not_recovered > 0, "only one of two answers was tried: {stats:?}");
    house.is_left_empty().await;
}

/// A viewer of a world: checks that every delta follows what it knows.
struct Viewer {
    count: Option<u64>,
    at: Option<(u64, String)>,
}

impl Viewer {
    async fn come(&mut self, client: &mut Client) {
        let config = self.at.as_ref().map_or_else(|| json!({"presence": {"enabled": false}}), recover);
        let response = client.join("world:main", config).await;
        if response["recovered"] != true {
            self.count = Some(response["snapshot"]["n"].as_u64().expect("no snapshot, and not recovered"));
        }
        self.at = Some(place(&response["position"]));
    }

    fn see(&mut self, message: &Value) {
        let (n, now) = (message["payload"]["n"].as_u64().unwrap(), place(&message["meta"]));
        if message["event"] == "delta" {
            assert_eq!(Some(n), self.count.map(|count| count + 1), "a delta of something else: {message}");
            let (offset, epoch) = self.at.clone().unwrap();
            assert_eq!(now, (offset + 1, epoch));
        }
        (self.count, self.at) = (Some(n), Some(now));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn viewers_of_a_world_that_is_replaced_meanwhile_always_know_it_as_it_is() {
    let house = House::new();
    let stop = Arc::new(AtomicBool::new(false));
    let world = {
        let (stage, stop) = (Arc::clone(&house.stage), Arc::clone(&stop));
        std::thread::spawn(move || {
            for n in 1u64.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                if n.is_multiple_of(40) {
                    stage.replace("main")
                } else {
                    stage.tick("main")
                }
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        })
    };
    for round in 0..4 {
        let mut viewer = Viewer { count: None, at: None };
        for life in 0..25 {
            if life % 3 == round % 3 {
                house.stage.make_stale(2);
            }
            let mut client = house.guest().await;
            viewer.come(&mut client).await;
            for _ in 0..(life * 5) % 60 {
                viewer.see(&client.event("world:main", "broadcast").await);
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    world.join().unwrap();
    house.is_left_empty().await;
}
