//! The streams there are, and which of them go first when there are too many or they keep too much.
//!
//! Streams of worlds are not among those that are counted: there is one for every channel, whoever asks, and its
//! world holds it. All others begin because somebody names them, so anybody could fill whatever had no bound.

use crate::message::{Message, now_ms};
use crate::stream::Stream;
use arena_core::topic::{TopicKind, TopicName};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One of so many streams goes when there are too many, and one of so many bytes may be added before they are counted
/// again: looking at all of them for each new one would be slow.
const SHARE: usize = 64;

/// What a kept message costs beside its payload and its event, in bytes: the message itself, its id, its author.
const MESSAGE_BYTES: usize = 256;

/// Streams by their topics.
#[derive(Debug)]
pub(crate) struct Streams {
    worlds: HashMap<TopicName, Arc<Stream>>,
    others: HashMap<TopicName, Arc<Stream>>,
    max_others: usize,
    history_bytes: usize,
    /// What the others may come to keep before their histories are measured again, in bytes. A new stream takes
    /// from it what it may keep; so it is no counter that every message would have to touch.
    spare_bytes: usize,
}

impl Streams {
    /// None, of which at most `max_others` may be of other topics than worlds, and keep `history_bytes`.
    pub(crate) fn new(max_others: usize, history_bytes: usize) -> Streams {
        let (worlds, others) = (HashMap::new(), HashMap::new());
        Streams { worlds, others, max_others, history_bytes, spare_bytes: history_bytes }
    }

    pub(crate) fn get(&self, topic: &TopicName) -> Option<&Arc<Stream>> {
        if is_world(topic) { self.worlds.get(topic) } else { self.others.get(topic) }
    }

    pub(crate) fn len(&self) -> usize {
        self.worlds.len() + self.others.len()
    }

    /// Adds a stream that may keep `keeps_bytes`. Where there are too many, those go that nobody holds and that were
    /// idle for longest; returns whether there was room in the end.
    pub(crate) fn insert(&mut self, stream: &Arc<Stream>, keeps_bytes: usize) -> bool {
        let topic = stream.topic().clone();
        if is_world(&topic) {
            self.worlds.insert(topic, Arc::clone(stream));
            return true;
        }
        if self.others.len() >= self.max_others {
            self.evict(self.others.len() - self.max_others + 1);
        }
        if self.others.len() >= self.max_others {
            return false;
        }
        if keeps_bytes > self.spare_bytes {
            self.fit(&Clock::at(Instant::now()));
        }
        self.spare_bytes = self.spare_bytes.saturating_sub(keeps_bytes);
        self.others.insert(topic, Arc::clone(stream));
        true
    }

    /// Ends streams that are over, and more of them if they keep too much all together.
    pub(crate) fn sweep(&mut self, now: Instant) {
        let clock = Clock::at(now);
        let lives = |_: &TopicName, stream: &mut Arc<Stream>| {
            is_held(stream)
                || match clock.rest_of(stream) {
                    Rest::Busy => true,
                    Rest::Empty => false,
                    Rest::Idle(idle) => idle < stream.linger(),
                }
        };
        self.worlds.retain(lives);
        self.others.retain(lives);
        self.fit(&clock);
    }

    /// Ends at least `wanted` of the streams that were idle for longest, if so many can be spared.
    fn evict(&mut self, wanted: usize) {
        let mut idle = self.idle(&Clock::at(Instant::now()));
        let number = wanted.max(self.max_others / SHARE).min(idle.len());
        idle.sort_unstable_by_key(|(idle, _)| std::cmp::Reverse(*idle));
        idle.into_iter().take(number).for_each(|(_, topic)| drop(self.others.remove(&topic)));
    }

    /// Measures the histories, and ends streams until the rest keep no more than they may.
    fn fit(&mut self, clock: &Clock) {
        let mut kept: usize = self.others.values().map(|stream| bytes(stream)).sum();
        if kept > self.history_bytes {
            let mut idle = self.idle(clock);
            idle.sort_unstable_by_key(|(idle, _)| *idle);
            while kept > self.history_bytes
                && let Some((_, topic)) = idle.pop()
            {
                let ended = self.others.remove(&topic);
                kept -= ended.map_or(0, |stream| bytes(&stream)).min(kept);
            }
        }
        // Where watched streams alone keep more, there is nothing to be ended, and no sense in looking every time.
        self.spare_bytes = self.history_bytes.saturating_sub(kept).max(self.history_bytes / SHARE);
    }

    /// Streams that nobody holds or watches, and for how long nobody did anything with them.
    fn idle(&self, clock: &Clock) -> Vec<(Duration, TopicName)> {
        let free = self.others.values().filter(|stream| !is_held(stream));
        let idle = free.filter_map(|stream| match clock.rest_of(stream) {
            Rest::Busy => None,
            Rest::Empty => Some((Duration::MAX, stream.topic().clone())),
            Rest::Idle(idle) => Some((idle, stream.topic().clone())),
        });
        idle.collect()
    }
}

/// What a stream does.
enum Rest {
    /// Somebody watches.
    Busy,
    /// Nobody watches, and there is nothing to come back for.
    Empty,
    /// How long ago its last watcher left or its last message came, whichever was later.
    Idle(Duration),
}

/// A moment, by the clock that watchers are timed by and by the one of messages.
struct Clock {
    now: Instant,
    now_ms: u64,
}

impl Clock {
    fn at(now: Instant) -> Clock {
        let ahead = now.saturating_duration_since(Instant::now()).as_millis();
        Clock { now, now_ms: now_ms().saturating_add(u64::try_from(ahead).unwrap_or(u64::MAX)) }
    }

    fn rest_of(&self, stream: &Stream) -> Rest {
        let Some(unwatched) = stream.unwatched_for(self.now) else { return Rest::Busy };
        match stream.view(|view| view.last().map(|message| message.at_ms)) {
            None => Rest::Empty,
            Some(at_ms) => {
                Rest::Idle(unwatched.min(Duration::from_millis(self.now_ms.saturating_sub(at_ms))))
            }
        }
    }
}

fn is_world(topic: &TopicName) -> bool {
    matches!(topic.kind(), TopicKind::World(_))
}

/// Whoever holds a stream got it under the lock of all streams, and may be about to listen or to publish.
fn is_held(stream: &Arc<Stream>) -> bool {
    Arc::strong_count(stream) > 1
}

fn bytes(stream: &Stream) -> usize {
    let cost = |message: &Arc<Message>| MESSAGE_BYTES + message.event.len() + message.payload.len();
    stream.view(|view| view.since(0, usize::MAX).iter().map(cost).sum())
}
