//! The gateway: all sessions and rooms of this node.

mod answer;
mod attendance;
mod broadcast;
mod company;
mod conversation;
mod counters;
mod dispatch;
mod drain;
mod ending;
mod handshake;
mod join;
mod keeping;
mod leave;
mod matchmaking;
mod presence;
mod refresh;
mod settings;
mod under_way;
mod world;

pub use broadcast::{Publication, PublishRefusal};
pub use counters::GatewayStats;
pub use drain::Drain;
pub use handshake::{Admitted, Handshake, HandshakeRefusal};
pub use settings::GatewaySettings;

pub(crate) use company::Place;

use crate::backstage::Backstage;
use crate::codec::TOPIC_PREFIX;
use crate::limits::{Limiter, RealtimeLimits};
use crate::policy::{Access, TopicPolicy};
use crate::room::{Attendance, Overflow, Room};
use crate::session::{Seconds, Session};
use crate::token::Verifier;
use arena_bus::{Bus, OpenError};
use arena_core::topic::{TopicKind, TopicName};
use company::Company;
use counters::Counters;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// All realtime sessions of this node. Clones share them.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    settings: GatewaySettings,
    bus: Bus,
    verifier: Arc<Verifier>,
    policy: TopicPolicy,
    backstage: Arc<dyn Backstage>,
    limiter: Limiter,
    counters: Counters,
    started: Instant,
    next_id: AtomicU64,
    sessions: Mutex<HashMap<u64, Arc<Session>>>,
    rooms: Mutex<HashMap<TopicName, Arc<Room>>>,
    /// Rooms with changes of presence to tell. Each is in it once, so it is no longer than the rooms are many.
    presence_waits: Mutex<Vec<Weak<Room>>>,
    /// Conversations whose rosters have changed.
    attendance: Arc<Attendance>,
    /// Who is in conversations.
    company: Company,
    /// Which session holds the seat of which join. An entry for every seated member, and for every join that asks for
    /// a seat.
    seated: Mutex<HashMap<u64, Weak<Session>>>,
    /// Nobody is let in any more.
    stop: CancellationToken,
    /// Sessions, and what is under way for them.
    tasks: TaskTracker,
    /// Ends the housekeeping, which goes on until the last session has gone.
    idle: CancellationToken,
    keeping: TaskTracker,
    /// Where tasks run: a session may be dropped outside of it.
    runtime: Handle,
}

impl Gateway {
    /// A gateway without sessions, and its housekeeping. Must be called within a runtime.
    pub fn start(
        settings: GatewaySettings,
        bus: Bus,
        verifier: Arc<Verifier>,
        backstage: Arc<dyn Backstage>,
    ) -> Gateway {
        let inner = Inner {
            policy: TopicPolicy::new(settings.policy.clone()),
            limiter: Limiter::new(settings.limits.clone()),
            settings,
            bus,
            verifier,
            backstage,
            counters: Counters::default(),
            started: Instant::now(),
            next_id: AtomicU64::new(first_id()),
            sessions: Mutex::default(),
            rooms: Mutex::default(),
            presence_waits: Mutex::default(),
            attendance: Arc::default(),
            company: Company::default(),
            seated: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            idle: CancellationToken::new(),
            keeping: TaskTracker::new(),
            runtime: Handle::current(),
        };
        let gateway = Gateway { inner: Arc::new(inner) };
        let keeping = gateway.clone().keep();
        let idle = gateway.inner.idle.clone();
        gateway.inner.keeping.spawn(idle.run_until_cancelled_owned(keeping));
        gateway
    }

    /// Runs something of a session's.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.inner.tasks.spawn_on(task, &self.inner.runtime);
    }

    /// What is going on.
    pub fn stats(&self) -> GatewayStats {
        let (sessions, rooms) = (self.sessions().len(), self.rooms().len());
        self.inner.counters.read(sessions, rooms, self.inner.bus.len())
    }

    /// The streams behind the topics.
    pub fn bus(&self) -> &Bus {
        &self.inner.bus
    }

    /// The limits that are no rates.
    pub fn limits(&self) -> &RealtimeLimits {
        self.inner.limiter.limits()
    }

    /// Seconds since the start.
    pub(crate) fn now(&self) -> Seconds {
        Seconds::try_from(self.inner.started.elapsed().as_secs()).unwrap_or(Seconds::MAX)
    }

    pub(crate) fn count(&self, which: impl FnOnce(&Counters) -> &AtomicU64) {
        which(&self.inner.counters).fetch_add(1, Ordering::Relaxed);
    }

    /// A number that no session or join has had, nor will have.
    fn next_id(&self) -> u64 {
        self.inner.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// The room of a topic.
    fn room(&self, topic: &TopicName, access: Access) -> Result<Arc<Room>, OpenError> {
        let name = stream_name(topic, access);
        let mut rooms = self.rooms();
        if let Some(room) = rooms.get(&name) {
            return Ok(Arc::clone(room));
        }
        let stream = self.inner.bus.open(&name)?;
        let overflow = match topic.kind() {
            TopicKind::World(_) => Overflow::NewestWins,
            _ => Overflow::CloseSlow,
        };
        let attendance = match topic.kind() {
            TopicKind::Conversation(_) => Some(Arc::clone(&self.inner.attendance)),
            _ => None,
        };
        let wire_topic = format!("{TOPIC_PREFIX}{topic}").into();
        let room = Room::new(wire_topic, stream, overflow, attendance, self.inner.settings.presence);
        rooms.insert(name, Arc::clone(&room));
        Ok(room)
    }

    /// Forgets a room that has nobody left.
    fn close_room_if_empty(&self, room: &Room) {
        let mut rooms = self.rooms();
        if room.close_if_empty() {
            rooms.remove(room.stream.topic());
            room.detach();
        }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<u64, Arc<Session>>> {
        self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<TopicName, Arc<Room>>> {
        self.inner.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seated(&self) -> MutexGuard<'_, HashMap<u64, Weak<Session>>> {
        self.inner.seated.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stream behind a topic. Lobbies and free topics have a private one beside the public one of the same name;
/// the others are one topic, however they are asked for.
fn stream_name(topic: &TopicName, access: Access) -> TopicName {
    match topic.kind() {
        TopicKind::Lobby(_) | TopicKind::Free if access.private => topic.private(),
        _ => topic.clone(),
    }
}

/// Rises from one life of the server to the next: milliseconds since the Unix epoch, with room for a million
/// sessions in each. Stays below 2^62 for some ten thousand years.
fn first_id() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(0) << 20
}
