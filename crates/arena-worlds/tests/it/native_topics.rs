//! What worlds publish: nothing is lost, nothing is told twice, and an old world never speaks after a new one.

use crate::support::{bodies, body, bot, create, name, native_on, player, until};
use crate::viewer::Viewer;
use arena_bus::{Bus, BusSettings, Message, Payload, Rest, Sink, Stream};
use arena_core::WorldId;
use arena_core::topic::TopicName;
use arena_worlds::native::NativeHost;
use arena_worlds::{Act, Look, WorldHost};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Keeps all that is published.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Arc<Message>>>,
    /// Where it is given, a delivery takes until the semaphore lets it through.
    gate: Option<Arc<Semaphore>>,
}

impl Sink for Ear {
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest> {
        self.heard.lock().unwrap().extend(messages.iter().cloned());
        let gate = self.gate.clone()?;
        Some(Box::pin(async move { gate.acquire().await.unwrap().forget() }))
    }
}

impl Ear {
    fn heard(&self) -> Vec<Arc<Message>> {
        self.heard.lock().unwrap().clone()
    }

    fn last_epoch(&self) -> Vec<Arc<Message>> {
        let heard = self.heard();
        let last = heard.last().map(|message| message.epoch.clone());
        heard.into_iter().filter(|message| Some(&message.epoch) == last.as_ref()).collect()
    }
}

fn topic(channel: &str) -> TopicName {
    TopicName::of_world(&name(channel))
}

fn listen(bus: &Bus, channel: &str) -> (Arc<Ear>, Arc<Stream>) {
    let ear = Arc::new(Ear::default());
    let stream = bus.open(&topic(channel)).unwrap();
    stream.attach(Arc::clone(&ear) as Arc<dyn Sink>);
    (ear, stream)
}

fn json(message: &Message) -> &[u8] {
    match &message.payload {
        Payload::Json(json) => json,
        Payload::Binary(_) => panic!("worlds publish JSON"),
    }
}

/// Brings a viewer from one look to another by what was heard between them.
fn follow(viewer: &mut Viewer, from: &Look, heard: &[Arc<Message>], to: &Look) {
    assert_eq!(from.position.epoch, to.position.epoch);
    let between = from.position.offset + 1..=to.position.offset;
    let mut offsets = Vec::new();
    for message in heard.iter().filter(|m| m.epoch == to.position.epoch && between.contains(&m.offset)) {
        assert_eq!(&*message.event, "delta");
        viewer.apply(json(message));
        offsets.push(message.offset);
    }
    assert!(offsets.iter().copied().eq(between), "heard {offsets:?}");
}

async fn act(host: &NativeHost, world: &WorldId, n: u128, event: &str, payload: &str) {
    // Much of it is refused: that is fine here.
    let _ = host.act(world, bot(n), Act::parse(event, payload).unwrap()).await;
}

/// Comes, walks, talks and goes.
async fn fidget(host: NativeHost, world: WorldId, n: u128) {
    for round in 0..16 {
        host.join(&world, vec![player(n, 1), body(n + 100, 1)]).await.unwrap();
        act(&host, &world, n, "move", &format!(r#"{{"x": {}, "y": {}}}"#, 3 * round + n, 15)).await;
        act(&host, &world, n, "invite", &format!(r#"{{"with": "{}"}}"#, bot((n + 1) % 4))).await;
        act(&host, &world, n, "say", r#"{"text": "Well?"}"#).await;
        act(&host, &world, n, "accept", &format!(r#"{{"conversation": {}}}"#, round + 1)).await;
        if round % 3 == 2 {
            host.leave(&world, &[(bot(n), None), (bot(n + 100), None)]).await.unwrap();
        }
    }
}

#[test]
fn looks_while_the_world_ticks_agree_with_what_was_published_between_them() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let bus = Bus::default();
        let host = native_on(&bus, 10, 64);
        let world = create(&host, "a", 1).await;
        host.join(&world, bodies(200..212, 1)).await.unwrap();
        let (ear, _stream) = listen(&bus, "a");
        let mut crowd = JoinSet::new();
        (0..4).for_each(|n| drop(crowd.spawn(fidget(host.clone(), world.clone(), n))));
        let mut last = host.look(&world).await.unwrap();
        let mut viewer = Viewer::new(&last.snapshot);
        while !crowd.is_empty() {
            while crowd.try_join_next().is_some() {}
            tokio::time::sleep(std::time::Duration::from_millis(7)).await;
            let look = host.look(&world).await.unwrap();
            follow(&mut viewer, &last, &ear.heard(), &look);
            viewer.agree(&look.snapshot).unwrap();
            last = look;
        }
        assert!(viewer.heard.iter().any(|(_, text)| text == "Well?"), "{:?}", viewer.heard);
        assert!(last.position.offset > 20, "{:?}", last.position);
    });
}

#[tokio::test]
async fn whoever_begins_to_watch_is_noticed_at_the_next_tick() {
    let bus = Bus::default();
    let host = native_on(&bus, 10, 64);
    let world = create(&host, "a", 1).await;
    host.join(&world, bodies(0..10, 1)).await.unwrap();
    assert!(bus.is_empty());
    let (ear, _stream) = listen(&bus, "a");
    let tick = host.list().await.unwrap()[0].tick;
    until("something is published", async || !ear.heard().is_empty()).await;
    let first = ear.heard().remove(0);
    assert_eq!((&*first.event, first.offset), ("snapshot", 1));
    assert_eq!(Viewer::new(json(&first)).tick(), tick + 1);
}

#[tokio::test]
async fn a_new_world_begins_a_new_epoch_with_a_snapshot_even_if_it_is_empty() {
    let bus = Bus::default();
    let host = native_on(&bus, 10, 64);
    let world = create(&host, "a", 1).await;
    host.join(&world, bodies(0..3, 1)).await.unwrap();
    let (ear, _stream) = listen(&bus, "a");
    let old = host.look(&world).await.unwrap();
    host.destroy(&world).await.unwrap();
    create(&host, "a", 2).await;
    until("the new world is told of", async || ear.last_epoch()[0].epoch != old.position.epoch).await;
    let first = ear.last_epoch().remove(0);
    assert_eq!((&*first.event, first.offset), ("snapshot", 1));
    let viewer = Viewer::new(json(&first));
    assert_eq!((viewer.tick(), viewer.ids().count()), (0, 0));
}

/// Each world's residents are told apart by their ids; under no epoch may those of two worlds appear.
#[test]
fn an_old_world_says_nothing_after_the_new_one_has_begun() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let bus = Bus::default();
        let host = native_on(&bus, 10, 64);
        let (ear, _stream) = listen(&bus, "a");
        for round in 1..=60u128 {
            let world = create(&host, "a", round as i64).await;
            host.join(&world, bodies(round * 100..round * 100 + 20, 1)).await.unwrap();
            if round % 3 == 0 {
                host.destroy(&world).await.unwrap();
            }
        }
        let heard = ear.heard();
        let mut epochs: Vec<_> = heard.iter().map(|message| message.epoch.clone()).collect();
        epochs.dedup();
        let distinct: std::collections::HashSet<_> = epochs.iter().collect();
        assert_eq!(epochs.len(), distinct.len(), "an epoch came back");
        assert!(epochs.len() >= 60, "{}", epochs.len());
        for epoch in &epochs {
            let told: Vec<_> = heard.iter().filter(|message| message.epoch == *epoch).collect();
            assert_eq!(&*told[0].event, "snapshot");
            let mut viewer = Viewer::new(json(told[0]));
            told[1..].iter().for_each(|delta| viewer.apply(json(delta)));
            let worlds: std::collections::BTreeSet<u128> =
                viewer.ids().map(|id| (id.parse::<uuid::Uuid>().unwrap().as_u128() - 1) / 100).collect();
            assert!(worlds.len() <= 1, "{worlds:?}");
        }
    });
}

/// A viewer that keeps the actor in the middle of a publication.
struct Slow {
    /// Both sides meet here when a publication has begun, and again before it ends.
    turns: std::sync::Barrier,
    armed: std::sync::atomic::AtomicBool,
}

impl Sink for Slow {
    fn deliver(&self, _: &[Arc<Message>]) -> Option<Rest> {
        if self.armed.swap(false, std::sync::atomic::Ordering::SeqCst) {
            self.turns.wait();
            self.turns.wait();
        }
        None
    }
}

#[test]
fn a_world_is_off_the_register_only_after_its_last_word() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    runtime.block_on(async {
        let bus = Bus::default();
        let host = native_on(&bus, 10, 64);
        let world = create(&host, "a", 1).await;
        host.join(&world, bodies(0..20, 1)).await.unwrap();
        let slow = Arc::new(Slow { turns: std::sync::Barrier::new(2), armed: true.into() });
        let stream = bus.open(&topic("a")).unwrap();
        stream.attach(Arc::clone(&slow) as Arc<dyn Sink>);
        tokio::task::block_in_place(|| slow.turns.wait());
        let mut ending = JoinSet::new();
        let ended = host.clone();
        ending.spawn(async move { ended.destroy(&world).await });
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        let waits = ending.try_join_next().is_none();
        let found = host.find(&name("a")).await.unwrap();
        tokio::task::block_in_place(|| slow.turns.wait());
        assert!(waits, "it was still speaking");
        assert!(found.is_some(), "nobody may begin before it has ended");
        ending.join_all().await.remove(0).unwrap();
        assert_eq!(host.find(&name("a")).await.unwrap(), None);
    });
}

/// The only delivery hangs, so that messages pile up; then the last resident leaves, and the world rests.
#[tokio::test]
async fn after_an_overload_viewers_get_a_snapshot_even_of_a_world_that_rests() {
    let bus = Bus::new(BusSettings { max_pending: 2, ..BusSettings::default() });
    let host = native_on(&bus, 10, 64);
    let gate = Arc::new(Semaphore::new(0));
    let ear = Arc::new(Ear { gate: Some(Arc::clone(&gate)), ..Ear::default() });
    let stream = bus.open(&topic("a")).unwrap();
    stream.attach(Arc::clone(&ear) as Arc<dyn Sink>);
    let world = create(&host, "a", 1).await;
    host.join(&world, vec![player(0, 1)]).await.unwrap();
    let look = host.look(&world).await.unwrap();
    for _ in 0..5 {
        act(&host, &world, 0, "say", r#"{"text": "Anybody?"}"#).await;
    }
    assert_ne!(stream.position().epoch, look.position.epoch, "what was refused is not passed over");
    let while_owing = host.look(&world).await.unwrap();
    host.leave(&world, &[(bot(0), None)]).await.unwrap();
    gate.add_permits(1_000);
    let told =
        async || ear.heard().last().map(|message| message.epoch.clone()) == Some(stream.position().epoch);
    until("the newest epoch is told of", told).await;
    let first = ear.last_epoch().remove(0);
    assert_eq!((&*first.event, Viewer::new(json(&first)).ids().count()), ("snapshot", 0));
    assert_ne!(stream.position().epoch, while_owing.position.epoch);
    let look = host.look(&world).await.unwrap();
    let mut viewer = Viewer::new(json(&ear.last_epoch()[0]));
    ear.last_epoch()[1..].iter().for_each(|delta| viewer.apply(json(delta)));
    viewer.agree(&look.snapshot).unwrap();
}

#[tokio::test]
async fn a_player_is_told_apart_from_a_bot() {
    let bus = Bus::default();
    let host = native_on(&bus, 10, 64);
    let world = create(&host, "a", 1).await;
    host.join(&world, vec![player(0, 1), body(1, 1)]).await.unwrap();
    let viewer = Viewer::new(&host.look(&world).await.unwrap().snapshot);
    let kind = |n: u128| viewer.told_of(&bot(n).to_string()).unwrap()["kind"].clone();
    assert_eq!((kind(0), kind(1)), ("player".into(), "bot".into()));
}

#[tokio::test]
async fn a_world_has_its_topic_where_there_is_room_for_no_other() {
    let bus = Bus::new(BusSettings { max_streams: 0, ..BusSettings::default() });
    let host = native_on(&bus, 10, 64);
    let world = create(&host, "a", 1).await;
    host.look(&world).await.unwrap();
}
