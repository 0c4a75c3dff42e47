//! Which topics are on which connection. This is where channels and connections are counted, and nowhere else.

use crate::link::{COMMANDS, Command, End, LinkState};
use arena_core::fleet::{Fault, FaultClass};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// All connections and their topics.
#[derive(Debug)]
pub(crate) struct Registry {
    links: Mutex<Links>,
    topics_per_link: usize,
    max_links: usize,
}

#[derive(Debug, Default)]
struct Links {
    /// The number of the next connection, and of the next lease.
    next: u64,
    links: BTreeMap<u64, Entry>,
    /// Who waits for a place, the first first: one for each channel at most, and those that have gone until the next comes.
    waiting: VecDeque<Waiter>,
}

/// A channel without a place.
#[derive(Debug)]
struct Waiter {
    topic: Arc<str>,
    avoid: Option<u64>,
    place: oneshot::Sender<Granted>,
}

/// A place, and with what its connection starts if that is a new one.
type Granted = (Lease, Option<Seed>);

/// Places and who gets them; handed over without the lock, which a place that nobody takes any more needs.
type Grants = Vec<(oneshot::Sender<Granted>, Granted)>;

#[derive(Debug)]
struct Entry {
    commands: mpsc::Sender<Box<Command>>,
    state: watch::Receiver<LinkState>,
    returned: Arc<Notify>,
    places: Vec<Place>,
}

impl Entry {
    fn fits(&self, topic: &str, limit: usize) -> bool {
        self.places.len() < limit
            && self.places.iter().all(|place| &*place.topic != topic)
            && !matches!(&*self.state.borrow(), LinkState::Ended(_))
    }
}

/// A topic on a connection.
#[derive(Debug)]
struct Place {
    topic: Arc<str>,
    lease: u64,
    stage: Stage,
    /// Its join was answered well.
    joined: bool,
}

#[derive(Debug)]
enum Stage {
    /// Somebody has it.
    Held,
    /// It was given back and has to be left; dropping the sender tells that it is.
    Returned(Option<oneshot::Sender<()>>),
    /// The connection is leaving it.
    Leaving(#[expect(dead_code, reason = "it tells by being dropped")] Option<oneshot::Sender<()>>),
}

/// What there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) open: usize,
    pub(crate) waiting: usize,
    pub(crate) connecting: usize,
    pub(crate) channels: usize,
    pub(crate) without_place: usize,
}

/// What a new connection starts with.
type Seed = (Ticket, mpsc::Receiver<Box<Command>>);

impl Registry {
    pub(crate) fn new(topics_per_link: usize, max_links: usize) -> Registry {
        Registry {
            links: Mutex::default(),
            topics_per_link: topics_per_link.max(1),
            max_links: max_links.max(1),
        }
    }

    /// A place for this topic; with a seed where it is on a new connection, which the caller has to start. Waits while
    /// there are as many connections as may be and all are full or have the topic.
    pub(crate) async fn lease(self: &Arc<Registry>, topic: &Arc<str>, avoid: Option<u64>) -> Granted {
        loop {
            let place = {
                let mut links = self.links();
                if let Some(found) = self.try_lease(&mut links, topic, avoid) {
                    return found;
                }
                let (place, granted) = oneshot::channel();
                links.waiting.retain(|waiter| !waiter.place.is_closed());
                links.waiting.push_back(Waiter { topic: Arc::clone(topic), avoid, place });
                granted
            };
            if let Ok(granted) = place.await {
                return granted;
            }
        }
    }

    /// A place is free on this connection, or there is room for another one: whoever waits and can take it gets it, in
    /// the order in which they came.
    fn grant(self: &Arc<Registry>, links: &mut Links, mut freed: Option<u64>) -> Grants {
        links.waiting.retain(|waiter| !waiter.place.is_closed());
        let mut grants = Vec::new();
        let mut at = 0;
        while let Some(waiter) = links.waiting.get(at) {
            let has_room = links.links.len() < self.max_links;
            let fits = freed.is_some_and(|link| links.fits(link, &waiter.topic, self.topics_per_link));
            if !has_room && !fits {
                at += 1;
                continue;
            }
            let (topic, avoid) = (Arc::clone(&waiter.topic), waiter.avoid);
            let Some(granted) = self.try_lease(links, &topic, avoid) else {
                at += 1;
                continue;
            };
            // Others may fit on a new connection, too.
            if granted.1.is_some() {
                freed = Some(granted.0.link);
            }
            if let Some(waiter) = links.waiting.remove(at) {
                grants.push((waiter.place, granted));
            }
        }
        grants
    }

    fn try_lease(
        self: &Arc<Registry>,
        links: &mut Links,
        topic: &Arc<str>,
        avoid: Option<u64>,
    ) -> Option<Granted> {
        let has_room = links.links.len() < self.max_links;
        // Where no more connections may be made, one that failed before is better than none.
        let found = links
            .fitting(topic, self.topics_per_link, avoid)
            .or_else(|| if has_room { None } else { links.fitting(topic, self.topics_per_link, None) });
        let (link, seed) = match found {
            Some(link) => (link, None),
            None if has_room => {
                let (link, seed) = links.add(self);
                (link, Some(seed))
            }
            None => return None,
        };
        let number = links.number();
        let entry = links.links.get_mut(&link)?;
        entry.places.push(Place {
            topic: Arc::clone(topic),
            lease: number,
            stage: Stage::Held,
            joined: false,
        });
        let lease = Lease {
            registry: Arc::clone(self),
            link,
            number,
            topic: Arc::clone(topic),
            commands: entry.commands.clone(),
            state: entry.state.clone(),
            joined: false,
        };
        Some((lease, seed))
    }

    /// Topics that are to be left now; each is named once.
    pub(crate) fn to_leave(&self, link: u64) -> Vec<Arc<str>> {
        let mut links = self.links();
        let Some(entry) = links.links.get_mut(&link) else { return Vec::new() };
        let mut topics = Vec::new();
        for place in &mut entry.places {
            if let Stage::Returned(told) = &mut place.stage {
                topics.push(Arc::clone(&place.topic));
                place.stage = Stage::Leaving(told.take());
            }
        }
        topics
    }

    /// A topic that was to be left is left.
    pub(crate) fn is_left(self: &Arc<Registry>, link: u64, topic: &str) {
        let mut links = self.links();
        if let Some(entry) = links.links.get_mut(&link) {
            entry.places.retain(|place| !matches!(place.stage, Stage::Leaving(_)) || &*place.topic != topic);
        }
        let grants = self.grant(&mut links, Some(link));
        drop(links);
        hand_over(grants);
    }

    /// Takes out a connection that has no topics, so that it gets none any more. Returns whether it is out.
    pub(crate) fn retire(self: &Arc<Registry>, link: u64) -> bool {
        let mut links = self.links();
        let is_empty = links.links.get(&link).is_none_or(|entry| entry.places.is_empty());
        if is_empty {
            links.links.remove(&link);
            let grants = self.grant(&mut links, None);
            drop(links);
            hand_over(grants);
        }
        is_empty
    }

    /// Whether a channel of another topic is joined.
    pub(crate) fn others_joined(&self, topic: &str) -> bool {
        let joined =
            |place: &Place| place.joined && matches!(place.stage, Stage::Held) && &*place.topic != topic;
        let links = self.links();
        let mut live =
            links.links.values().filter(|entry| !matches!(&*entry.state.borrow(), LinkState::Ended(_)));
        live.any(|entry| entry.places.iter().any(joined))
    }

    fn is_joined(&self, link: u64, lease: u64) {
        let mut links = self.links();
        let places = links.links.get_mut(&link).map(|entry| &mut entry.places);
        if let Some(place) = places.and_then(|places| places.iter_mut().find(|place| place.lease == lease)) {
            place.joined = true;
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let links = self.links();
        let waits = |waiter: &&Waiter| !waiter.place.is_closed();
        let without_place = links.waiting.iter().filter(waits).count();
        let mut counts = Counts { without_place, ..Counts::default() };
        for entry in links.links.values() {
            match &*entry.state.borrow() {
                LinkState::Open => counts.open += 1,
                LinkState::Waiting => counts.waiting += 1,
                LinkState::Connecting => counts.connecting += 1,
                LinkState::Ended(_) => {}
            }
            counts.channels += entry.places.iter().filter(|place| matches!(place.stage, Stage::Held)).count();
        }
        counts
    }

    fn give_back(
        self: &Arc<Registry>,
        link: u64,
        lease: u64,
        joined: bool,
        told: Option<oneshot::Sender<()>>,
    ) {
        let mut links = self.links();
        let Some(entry) = links.links.get_mut(&link) else { return };
        let Some(at) = entry.places.iter().position(|place| place.lease == lease) else { return };
        if joined && matches!(entry.places[at].stage, Stage::Held) {
            entry.places[at].stage = Stage::Returned(told);
        } else if !joined {
            entry.places.swap_remove(at);
        }
        let returned = Arc::clone(&entry.returned);
        let grants = self.grant(&mut links, Some(link));
        drop(links);
        returned.notify_one();
        hand_over(grants);
    }

    fn remove(self: &Arc<Registry>, link: u64) {
        let mut links = self.links();
        let gone = links.links.remove(&link);
        let grants = self.grant(&mut links, None);
        drop(links);
        drop(gone);
        hand_over(grants);
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever does not wait any more drops the place, which gives it back.
fn hand_over(grants: Grants) {
    for (place, granted) in grants {
        let _ = place.send(granted);
    }
}

impl Links {
    /// Whether this connection can take the topic.
    fn fits(&self, link: u64, topic: &str, limit: usize) -> bool {
        self.links.get(&link).is_some_and(|entry| entry.fits(topic, limit))
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The fullest connection that can take the topic, open ones first.
    fn fitting(&self, topic: &str, limit: usize, avoid: Option<u64>) -> Option<u64> {
        let fits = |(link, entry): &(&u64, &Entry)| Some(**link) != avoid && entry.fits(topic, limit);
        let rank = |(_, entry): &(&u64, &Entry)| {
            (matches!(&*entry.state.borrow(), LinkState::Open), entry.places.len())
        };
        self.links.iter().filter(fits).max_by_key(rank).map(|(link, _)| *link)
    }

    fn add(&mut self, registry: &Arc<Registry>) -> (u64, Seed) {
        let link = self.number();
        let (commands, received) = mpsc::channel(COMMANDS);
        let (state, watched) = watch::channel(LinkState::Waiting);
        let returned = Arc::new(Notify::new());
        let ticket = Ticket { registry: Arc::clone(registry), link, state, returned: Arc::clone(&returned) };
        self.links.insert(link, Entry { commands, state: watched, returned, places: Vec::new() });
        (link, (ticket, received))
    }
}

/// A connection's place in the registry. Dropped, in whatever way, it has none, and its channels know.
#[derive(Debug)]
pub(crate) struct Ticket {
    registry: Arc<Registry>,
    link: u64,
    state: watch::Sender<LinkState>,
    returned: Arc<Notify>,
}

impl Ticket {
    /// The connection's number.
    pub(crate) fn id(&self) -> u64 {
        self.link
    }

    /// It is this far.
    pub(crate) fn is(&self, state: LinkState) {
        self.state.send_replace(state);
    }

    /// Ready when a lease has come back.
    pub(crate) async fn returned(&self) {
        self.returned.notified().await;
    }

    /// It is no more.
    pub(crate) fn ended(self, end: End) {
        self.state.send_replace(LinkState::Ended(end));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.state.send_if_modified(|state| {
            let lives = !matches!(state, LinkState::Ended(_));
            if lives {
                let fault = Fault::new(FaultClass::Network, "connection_lost", "the connection's task ended");
                *state = LinkState::Ended(End { fault, counts: true, was_open: true });
            }
            lives
        });
        self.registry.remove(self.link);
    }
}

/// A topic's place on a connection, held until it is dropped, in whatever way.
#[derive(Debug)]
pub(crate) struct Lease {
    registry: Arc<Registry>,
    link: u64,
    number: u64,
    topic: Arc<str>,
    commands: mpsc::Sender<Box<Command>>,
    state: watch::Receiver<LinkState>,
    joined: bool,
}

impl Lease {
    /// The connection's number.
    pub(crate) fn link(&self) -> u64 {
        self.link
    }

    /// Its topic, as on the wire.
    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// Where its connection takes what is to be sent.
    pub(crate) fn commands(&self) -> mpsc::Sender<Box<Command>> {
        self.commands.clone()
    }

    /// How its connection is; for waiting.
    pub(crate) fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    /// From now on the topic has to be left when the lease comes back.
    pub(crate) fn joins(&mut self) {
        self.joined = true;
    }

    /// The join was answered well.
    pub(crate) fn is_joined(&self) {
        self.registry.is_joined(self.link, self.number);
    }

    /// Gives it back; what is returned is ready when the topic is left, or the connection is no more.
    pub(crate) fn give_back(self) -> oneshot::Receiver<()> {
        let (told, is_told) = oneshot::channel();
        self.registry.give_back(self.link, self.number, self.joined, Some(told));
        is_told
    }

    /// Why its connection is no more, if it is.
    pub(crate) fn end(&self) -> Option<End> {
        match &*self.state.borrow() {
            LinkState::Ended(end) => Some(end.clone()),
            _ => None,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.registry.give_back(self.link, self.number, self.joined, None);
    }
}
