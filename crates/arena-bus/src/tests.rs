//! Which streams the bus keeps.

use crate::{Bus, BusSettings, Draft, Keep, Message, OpenError, Payload, Rest, Sink, Stream};
use arena_core::topic::TopicName;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LINGER: Duration = Duration::from_secs(60);

/// Listens and does nothing.
struct Listener;

impl Sink for Listener {
    fn deliver(&self, _: &[Arc<Message>]) -> Option<Rest> {
        None
    }
}

fn topic(name: &str) -> TopicName {
    name.parse().unwrap()
}

fn bus(max_streams: usize, history_total_bytes: usize) -> Bus {
    let other = Keep { messages: 4, bytes: 4_096, linger: LINGER };
    Bus::new(BusSettings { other, max_streams, history_total_bytes, ..BusSettings::default() })
}

/// A message of so many bytes in a topic that nobody listens to afterwards.
fn said(bus: &Bus, name: &str, bytes: usize) {
    publish(&bus.open(&topic(name)).unwrap(), bytes);
}

fn publish(stream: &Arc<Stream>, bytes: usize) {
    let payload = Payload::Json(Bytes::from(vec![b'1'; bytes]));
    stream.publish(Draft::new("said", payload)).unwrap();
}

fn exists(bus: &Bus, name: &str) -> bool {
    bus.get(&topic(name)).is_some()
}

/// So much time that two events are told apart by the clock of messages.
fn tick() {
    std::thread::sleep(Duration::from_millis(3));
}

#[test]
fn a_topic_that_is_one_too_many_takes_the_place_of_the_one_that_was_idle_for_longest() {
    let bus = bus(2, usize::MAX);
    for name in ["state:1", "state:2"] {
        said(&bus, name, 1);
        tick();
    }
    said(&bus, "state:1", 1);
    tick();
    said(&bus, "state:3", 1);
    assert!(exists(&bus, "state:1") && exists(&bus, "state:3"), "they were used last");
    assert!(!exists(&bus, "state:2"));
}

#[test]
fn topics_that_somebody_is_in_are_not_ended_for_others() {
    let bus = bus(2, usize::MAX);
    let held = bus.open(&topic("room:held")).unwrap();
    bus.open(&topic("room:watched")).unwrap().attach(Arc::new(Listener));
    let refused = bus.open(&topic("room:more")).unwrap_err();
    assert_eq!(refused, OpenError::TooManyTopics { limit: 2 });
    drop(held);
    bus.open(&topic("room:more")).unwrap();
    assert!(exists(&bus, "room:watched") && !exists(&bus, "room:held"));
}

#[test]
fn worlds_have_their_topics_however_many_others_there_are() {
    let bus = bus(1, usize::MAX);
    let _held = bus.open(&topic("room:1")).unwrap();
    bus.open(&topic("world:main")).unwrap();
    bus.open(&topic("world:main-2")).unwrap();
    bus.open(&topic("room:2")).unwrap_err();
}

#[test]
fn a_topic_with_nothing_to_come_back_for_ends_with_its_last_member() {
    let bus = bus(9, usize::MAX);
    let (quiet, listener) = (bus.open(&topic("room:quiet")).unwrap(), Arc::new(Listener) as Arc<dyn Sink>);
    quiet.attach(Arc::clone(&listener));
    said(&bus, "room:loud", 1);
    bus.sweep(Instant::now());
    assert!(exists(&bus, "room:quiet"), "somebody is in it");
    quiet.detach(&listener);
    bus.sweep(Instant::now());
    assert!(exists(&bus, "room:quiet"), "somebody may be about to listen");
    drop(quiet);
    bus.sweep(Instant::now());
    assert!(!exists(&bus, "room:quiet") && exists(&bus, "room:loud"));
}

#[test]
fn a_history_lingers_from_its_last_message_on() {
    let bus = bus(9, usize::MAX);
    let stream = bus.open(&topic("room:1")).unwrap();
    // Nobody has watched since the stream began; the message is younger by this much.
    let (began, younger) = (Instant::now(), Duration::from_millis(300));
    std::thread::sleep(younger);
    publish(&stream, 1);
    drop(stream);
    bus.sweep(began + LINGER + younger / 2);
    assert!(exists(&bus, "room:1"));
    bus.sweep(began + LINGER + younger * 10);
    assert!(!exists(&bus, "room:1"));
}

#[test]
fn histories_that_hold_too_much_together_go_the_idlest_first() {
    let bus = bus(99, 10_000);
    for name in ["room:1", "room:2", "room:3"] {
        said(&bus, name, 4_000);
        tick();
    }
    bus.sweep(Instant::now());
    assert!(!exists(&bus, "room:1") && exists(&bus, "room:2") && exists(&bus, "room:3"));
}

#[test]
fn new_topics_do_not_hold_more_than_all_may_until_the_next_sweep() {
    let bus = bus(10_000, 100_000);
    for number in 0..1_000 {
        said(&bus, &format!("state:{number}"), 4_000);
    }
    assert!(bus.len() <= 26, "{} streams hold 4,000 bytes each", bus.len());
    assert!(exists(&bus, "state:999"));
}

#[test]
fn what_the_histories_cost_beside_their_payloads_counts() {
    let bus = bus(10_000, 10_000);
    for number in 0..100 {
        said(&bus, &format!("state:{number}"), 0);
    }
    bus.sweep(Instant::now());
    assert!(bus.len() < 50, "{} streams of one empty message each", bus.len());
}

#[test]
fn watched_topics_keep_their_history_whatever_others_hold() {
    let bus = bus(99, 1_000);
    let watched = bus.open(&topic("room:1")).unwrap();
    watched.attach(Arc::new(Listener));
    publish(&watched, 4_000);
    said(&bus, "room:2", 500);
    bus.sweep(Instant::now());
    assert!(watched.view(|view| view.last().is_some()) && !exists(&bus, "room:2"));
}

#[test]
fn a_private_topic_keeps_its_last_value_like_the_public_one_of_its_name() {
    let bus = bus(9, usize::MAX);
    for (name, keeps) in [("state:1", true), ("room:1", false)] {
        assert_eq!(bus.keeps_last_value(&topic(name)), keeps, "{name}");
        assert_eq!(bus.keeps_last_value(&topic(name).private()), keeps, "private {name}");
    }
    publish(&bus.open(&topic("state:1").private()).unwrap(), 1);
    bus.sweep(Instant::now() + LINGER * 2);
    assert!(bus.get(&topic("state:1").private()).is_some());
}
