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

/// What a world publishes.
#[derive(Debug)]
pub(super) struct WorldTopic {
    bus: Bus,
    name: TopicName,
    license: Arc<License>,
    state: State,
}

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
        WorldTopic { bus, name, license, state: State::Silent }
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
        let (watched, concerned) = (stream.is_watched(), self.state.concerns(&stream));
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
        self.state = State::Silent;
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
