//! A world's side of its channel's topic: who watches is told everything, and nobody is told half of it.
//!
//! The rule that keeps viewers right: under one epoch of the stream there is a snapshot first, and from there on every
//! change. Where a change was not published, because nobody watched or because the stream was overloaded, the epoch
//! ends, so that no position from before it can be resumed.

use super::license::License;
use super::payload::{self, Known};
use crate::host::Look;
use arena_bus::{Bus, Draft, Payload, Stream};
use arena_core::fault::HostFault;
use arena_core::topic::TopicName;
use arena_sim::{Effect, World};
use bytes::Bytes;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// What a world publishes.
#[derive(Debug)]
pub(super) struct WorldTopic {
    bus: Bus,
    name: TopicName,
    license: Arc<License>,
    state: State,
    /// Who looked may be about to watch: until then everything is told, watched or not.
    promised: Option<Instant>,
}

/// How long whoever has looked may take to begin to watch.
const PROMISE: Duration = Duration::from_secs(10);

/// How viewers stand to the world. A stream is held weakly, so that the bus can end it when nobody watches; as long as
/// the weak pointer lives, its address is not given to another stream.
#[derive(Debug)]
enum State {
    /// Nobody is told anything.
    Silent,
    /// Whoever watches this stream knows this.
    Live { stream: Weak<Stream>, known: Vec<Known> },
    /// Whoever watches this stream has missed something and must get a snapshot.
    Owing { stream: Weak<Stream> },
}

impl State {
    fn concerns(&self, stream: &Arc<Stream>) -> bool {
        match self {
            State::Silent => false,
            State::Live { stream: mine, .. } | State::Owing { stream: mine } => {
                std::ptr::eq(mine.as_ptr(), Arc::as_ptr(stream))
            }
        }
    }
}

impl WorldTopic {
    pub(super) fn new(bus: Bus, name: TopicName, license: Arc<License>) -> WorldTopic {
        WorldTopic { bus, name, license, state: State::Silent, promised: None }
    }

    /// Tells the viewers of an earlier world that this one has begun.
    pub(super) fn begin(&mut self, sim: &World) {
        let license = Arc::clone(&self.license);
        let Some(_held) = license.hold() else { return };
        if let Some(stream) = self.bus.get(&self.name) {
            self.start_over(&stream, sim);
        }
    }

    /// Tells of a tick, if anybody watches.
    pub(super) fn tell(&mut self, sim: &World, effects: &[Effect]) {
        // Looked up every time: it costs less than a hundredth of a tick, and so a stream that was ended and opened
        // again is never mistaken for the one that viewers were told on.
        let Some(stream) = self.bus.get(&self.name) else {
            self.state = State::Silent;
            return;
        };
        let watched = stream.is_watched() || self.promised.is_some_and(|until| Instant::now() < until);
        let concerned = self.state.concerns(&stream);
        if !watched && !concerned {
            self.state = State::Silent;
            return;
        }
        let license = Arc::clone(&self.license);
        let Some(_held) = license.hold() else { return };
        let up_to_date = match &mut self.state {
            _ if !watched => return self.fall_silent(&stream, sim),
            State::Live { known, .. } if concerned => {
                let delta = payload::delta(sim, effects, known);
                delta.is_none_or(|delta| publish(&stream, "delta", delta))
            }
            _ => false,
        };
        if !up_to_date {
            self.start_over(&stream, sim);
        }
    }

    /// The world as it is, and the position after which everything that happens is published. `None` if the world has
    /// ended.
    pub(super) fn look(&mut self, sim: &World) -> Option<Result<Look, HostFault>> {
        let license = Arc::clone(&self.license);
        let _held = license.hold()?;
        let stream = match self.bus.open(&self.name) {
            Ok(stream) => stream,
            Err(error) => return Some(Err(HostFault::transient(error.to_string()))),
        };
        self.promised = Some(Instant::now() + PROMISE);
        let live = matches!(self.state, State::Live { .. }) && self.state.concerns(&stream);
        let snapshot = if live { payload::snapshot(sim) } else { self.start_over(&stream, sim) };
        Some(Ok(Look { snapshot, position: stream.position() }))
    }

    /// Whether viewers wait for a snapshot that could not be published.
    pub(super) fn owes(&self) -> bool {
        matches!(self.state, State::Owing { .. })
    }

    /// Nobody watches any more. Positions under this epoch must not be resumed after what comes unpublished now; one
    /// who came meanwhile, and resumed before the restart, gets a snapshot instead.
    fn fall_silent(&mut self, stream: &Arc<Stream>, sim: &World) {
        (self.state, self.promised) = (State::Silent, None);
        stream.restart();
        if stream.is_watched() {
            self.start_over(stream, sim);
        }
    }

    /// A new epoch with a snapshot at its beginning.
    fn start_over(&mut self, stream: &Arc<Stream>, sim: &World) -> Bytes {
        stream.restart();
        let snapshot = payload::snapshot(sim);
        let weak = Arc::downgrade(stream);
        self.state = if publish(stream, "snapshot", snapshot.clone()) {
            State::Live { stream: weak, known: payload::known(sim) }
        } else {
            State::Owing { stream: weak }
        };
        snapshot
    }
}

fn publish(stream: &Arc<Stream>, event: &str, json: Bytes) -> bool {
    stream.publish(Draft::new(event, Payload::Json(json))).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_bus::{BusSettings, Keep, Position};
    use arena_core::BotId;
    use arena_sim::{BrainKind, Input, TownMap, WorldSettings};
    use uuid::Uuid;

    /// A topic, the license to publish there, and a world in which something happens at every tick.
    struct Stage {
        bus: Bus,
        license: Arc<License>,
        topic: WorldTopic,
        sim: World,
    }

    fn name() -> TopicName {
        "world:a".parse().unwrap()
    }

    impl Stage {
        fn new(linger: Duration) -> Stage {
            let world = Keep { linger, ..BusSettings::default().world };
            Stage::on(Bus::new(BusSettings { world, ..BusSettings::default() }))
        }

        fn on(bus: Bus) -> Stage {
            let license = Arc::new(License::default());
            let topic = WorldTopic::new(bus.clone(), name(), Arc::clone(&license));
            let sim = World::new(TownMap::town(), 7, WorldSettings::default()).unwrap();
            let mut stage = Stage { bus, license, topic, sim };
            let bot = BotId(Uuid::from_u128(1));
            let join = Input::Join { bot, name: "Ada".into(), brain: BrainKind::Puppet, position: None };
            stage.sim.step(&[join], &mut Vec::new());
            stage
        }

        fn tick(&mut self) {
            let bot = BotId(Uuid::from_u128(1));
            let mut effects = Vec::new();
            self.sim.step(&[Input::Say { bot, text: "Oh.".to_owned() }], &mut effects);
            self.topic.tell(&self.sim, &effects);
        }

        fn position(&self) -> Position {
            self.bus.get(&name()).expect("the topic is open").position()
        }
    }

    fn events(stream: &Arc<Stream>) -> Vec<(u64, String)> {
        let messages = stream.view(|view| view.since(0, 100));
        messages.iter().map(|message| (message.offset, message.event.to_string())).collect()
    }

    fn told(offset: u64, event: &str) -> (u64, String) {
        (offset, event.to_owned())
    }

    #[test]
    fn nothing_is_told_where_nobody_watches() {
        let mut stage = Stage::new(Duration::ZERO);
        stage.tick();
        assert!(stage.bus.is_empty(), "a world does not open its topic by itself");
        let stream = stage.bus.open(&name()).unwrap();
        let before = stream.position();
        stage.tick();
        assert_eq!(stream.position(), before);
        assert!(matches!(stage.topic.state, State::Silent));
    }

    #[test]
    fn who_begins_to_watch_gets_a_snapshot_and_then_every_tick() {
        let mut stage = Stage::new(Duration::from_secs(60));
        let stream = stage.bus.open(&name()).unwrap();
        stage.tick();
        stage.tick();
        assert_eq!(events(&stream), [told(1, "snapshot"), told(2, "delta")]);
    }

    #[test]
    fn a_look_begins_it_and_another_one_does_not_begin_it_again() {
        let mut stage = Stage::new(Duration::from_secs(60));
        let first = stage.topic.look(&stage.sim).unwrap().unwrap();
        stage.tick();
        let second = stage.topic.look(&stage.sim).unwrap().unwrap();
        assert_eq!(second.position, Position { offset: 2, epoch: first.position.epoch });
        assert_ne!(first.snapshot, second.snapshot);
    }

    #[test]
    fn a_position_from_before_a_silence_cannot_be_resumed() {
        let mut stage = Stage::new(Duration::ZERO);
        let position = stage.topic.look(&stage.sim).unwrap().unwrap().position;
        stage.tick();
        assert_eq!(stage.position().epoch, position.epoch, "who looked has a moment to begin to watch");
        stage.topic.promised = None;
        stage.tick();
        let stream = stage.bus.get(&name()).unwrap();
        let recovery = stream.view(|view| view.recover(&position));
        assert!(matches!(recovery, arena_bus::Recovery::Lost), "its tick was not told: {recovery:?}");
    }

    #[test]
    fn a_stream_that_was_ended_and_opened_again_gets_a_snapshot_first() {
        let mut stage = Stage::new(Duration::from_secs(60));
        let old = stage.topic.look(&stage.sim).unwrap().unwrap().position;
        stage.bus.sweep(Instant::now() + Duration::from_secs(3_600));
        assert!(stage.bus.is_empty(), "a world does not keep its topic open");
        let stream = stage.bus.open(&name()).unwrap();
        stage.tick();
        stage.tick();
        assert_eq!(events(&stream), [told(1, "snapshot"), told(2, "delta")]);
        assert_ne!(stage.position().epoch, old.epoch);
    }

    #[test]
    fn a_world_that_has_lost_its_license_says_nothing_whatever_happens() {
        let mut old = Stage::new(Duration::from_secs(60));
        let mut new = Stage::on(old.bus.clone());
        old.topic.look(&old.sim).unwrap().unwrap();
        old.license.revoke();
        new.topic.begin(&new.sim);
        let begun = new.position();
        old.tick();
        old.topic.begin(&old.sim);
        assert!(old.topic.look(&old.sim).is_none());
        assert_eq!(new.position(), begun);
        new.tick();
        assert_eq!(new.position(), Position { offset: 2, epoch: begun.epoch });
    }

    #[test]
    fn a_license_is_not_revoked_while_something_is_published() {
        let license = Arc::new(License::default());
        let (sender, revoked) = std::sync::mpsc::sync_channel(1);
        let held = license.hold().unwrap();
        let revoker = Arc::clone(&license);
        let thread = std::thread::spawn(move || {
            revoker.revoke();
            sender.send(()).unwrap();
        });
        assert!(revoked.recv_timeout(Duration::from_millis(20)).is_err());
        drop(held);
        revoked.recv_timeout(Duration::from_secs(30)).unwrap();
        thread.join().unwrap();
        assert!(license.hold().is_none());
    }
}
