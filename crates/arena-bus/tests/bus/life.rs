//! How long streams last.

use crate::support::{Log, bus, draft, stream};
use arena_bus::Sink;
use arena_core::topic::TopicName;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const LINGER: Duration = Duration::from_secs(60);

fn later(secs: u64) -> Instant {
    Instant::now() + Duration::from_secs(secs)
}

#[test]
fn a_stream_outlives_its_last_watcher_by_its_linger_and_no_longer() {
    let bus = bus(|settings| settings.other.linger = LINGER);
    let stream = stream(&bus);
    let topic = stream.topic().clone();
    let log = Log::attached(&stream) as Arc<dyn Sink>;
    // Something to come back for.
    stream.publish(draft("1")).unwrap();
    let epoch = stream.position().epoch;
    let weak = Arc::downgrade(&stream);
    drop(stream);
    bus.sweep(later(1_000));
    assert_eq!(bus.len(), 1, "it is watched");
    weak.upgrade().unwrap().detach(&log);
    assert!(weak.upgrade().unwrap().is_watched(), "they may come back");
    bus.sweep(later(50));
    assert_eq!(bus.len(), 1, "it lingers");
    let held = bus.get(&topic).unwrap();
    bus.sweep(later(70));
    assert_eq!(bus.len(), 1, "somebody is about to listen");
    drop(held);
    bus.sweep(later(70));
    assert!(bus.is_empty() && weak.upgrade().is_none());
    assert_ne!(bus.open(&topic).unwrap().position().epoch, epoch);
}

#[test]
fn a_topic_whose_last_value_is_kept_lingers_longer() {
    let bus = bus(|_| {});
    let (state, room): (TopicName, TopicName) = ("state:a".parse().unwrap(), "room:a".parse().unwrap());
    for topic in [&state, &room] {
        bus.open(topic).unwrap().publish(draft("1")).unwrap();
    }
    assert!(bus.keeps_last_value(&state) && !bus.keeps_last_value(&room));
    bus.sweep(later(100));
    assert!(bus.get(&state).is_some() && bus.get(&room).is_none());
    bus.sweep(later(4_000));
    assert!(bus.is_empty());
}

#[test]
fn whoever_opens_a_stream_while_others_sweep_hears_all_that_is_published_to_its_topic() {
    let bus = bus(|settings| settings.other.linger = Duration::ZERO);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                bus.sweep(Instant::now());
            }
        });
        for n in 0..20_000u64 {
            let stream = stream(&bus);
            let log = Log::attached(&stream);
            drop(stream);
            // By its name, as somebody else would.
            let published = bus.get(&"room:1".parse().unwrap()).expect("it is watched").publish(draft("1"));
            assert_eq!(log.offsets(), [published.unwrap().position.offset], "in round {n}");
            bus.get(&"room:1".parse().unwrap()).unwrap().detach(&(log as Arc<dyn Sink>));
        }
        over.store(true, Ordering::Relaxed);
    });
}
