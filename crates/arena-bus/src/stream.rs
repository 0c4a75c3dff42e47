//! One topic's stream.

use crate::history::History;
use crate::message::{Draft, Epoch, Message, Position, Published, now_ms};
use crate::settings::Keep;
use crate::sink::{Rest, Sink};
use arena_core::topic::TopicName;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Messages handed over in one call at most: what is coalesced into one write per member.
const BATCH: usize = 64;

/// Batches that a publisher hands over itself. If others go on publishing meanwhile, a task takes over, or one unlucky
/// publisher would deliver for all of them without end.
const IN_ONE_GO: usize = 4;

/// Why a message was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The stream's queue is full: it is published faster than it can be handed over. A publisher of state, whose
    /// next message only makes sense after this one, must [restart](Stream::restart) the stream.
    #[error("too many messages of this topic wait to be delivered")]
    Overloaded,
}

/// The messages of one topic. Numbers them, keeps the newest, and hands each to every sink in order.
pub struct Stream {
    topic: TopicName,
    keep: Keep,
    max_pending: usize,
    tasks: TaskTracker,
    state: Mutex<State>,
}

struct State {
    epoch: Epoch,
    offset: u64,
    sequence: u64,
    history: History,
    sinks: Vec<Attached>,
    /// Published but not handed over yet; bounded by `max_pending`, refused beyond it. Whoever numbers messages itself
    /// looks at it first and is not refused.
    pending: Vec<Arc<Message>>,
    /// Somebody hands over; whoever publishes meanwhile leaves it to them.
    delivering: bool,
    unwatched_since: Option<Instant>,
}

/// A sink, and what it was too late for.
#[derive(Clone)]
struct Attached {
    sink: Arc<dyn Sink>,
    /// It gets what was published after this number, even if earlier messages are still to be handed over.
    after: u64,
}

impl Attached {
    /// Hands over what of a batch it is to get. A sink that panics gets the next batch all the same, and harms neither
    /// the others nor whoever publishes.
    fn deliver(&self, batch: &[Arc<Message>]) -> Option<Rest> {
        let from = batch.partition_point(|message| message.sequence <= self.after);
        let batch = batch.get(from..).filter(|batch| !batch.is_empty())?;
        catch_unwind(AssertUnwindSafe(|| self.sink.deliver(batch))).ok()?
    }
}

/// Awaits what is left of a delivery. If it panics, it is over.
async fn complete(mut rest: Rest) {
    let step = |cx: &mut std::task::Context<'_>| {
        catch_unwind(AssertUnwindSafe(|| rest.as_mut().poll(cx))).unwrap_or(Poll::Ready(()))
    };
    std::future::poll_fn(step).await;
}

/// What a reader who comes back can be given.
#[derive(Debug, Clone)]
pub enum Recovery {
    /// Everything that was missed, oldest first.
    Whole(Vec<Arc<Message>>),
    /// Some of it is lost, or was counted in another epoch.
    Lost,
}

/// A stream held still: nothing is published while it is looked at.
pub struct View<'a> {
    state: &'a State,
}

impl View<'_> {
    /// The newest message's place.
    pub fn position(&self) -> Position {
        Position { offset: self.state.offset, epoch: self.state.epoch.clone() }
    }

    /// The newest message's number across epochs. Who begins to listen now ignores everything up to it.
    pub fn sequence(&self) -> u64 {
        self.state.sequence
    }

    /// What followed `position`.
    pub fn recover(&self, position: &Position) -> Recovery {
        if position.epoch != self.state.epoch {
            return Recovery::Lost;
        }
        match self.state.history.after(position.offset, self.state.offset) {
            Some(missed) => Recovery::Whole(missed),
            None => Recovery::Lost,
        }
    }

    /// Messages since a time in milliseconds since the Unix epoch, at most the newest `limit`, oldest first.
    pub fn since(&self, since_ms: u64, limit: usize) -> Vec<Arc<Message>> {
        self.state.history.since(since_ms, limit)
    }

    /// The newest message.
    pub fn last(&self) -> Option<&Arc<Message>> {
        self.state.history.last()
    }
}

impl Stream {
    pub(crate) fn new(topic: TopicName, keep: Keep, max_pending: usize, tasks: TaskTracker) -> Stream {
        let state = State {
            epoch: Epoch::fresh(),
            offset: 0,
            sequence: 0,
            history: History::default(),
            sinks: Vec::new(),
            pending: Vec::new(),
            delivering: false,
            unwatched_since: Some(Instant::now()),
        };
        Stream { topic, keep, max_pending, tasks, state: Mutex::new(state) }
    }

    /// Its topic.
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// Publishes a message: numbers it, keeps it, and hands it over, here and now if the sinks are quick. A sink that
    /// returns a [`Rest`] needs its publishers to be within a runtime.
    pub fn publish(self: &Arc<Self>, draft: Draft) -> Result<Published, PublishError> {
        let mut state = self.lock();
        let earlier = draft.id.as_deref().and_then(|id| state.history.find(draft.author.as_deref(), id));
        if let Some(earlier) = earlier {
            return Ok(Published { position: earlier.position(), duplicate: true });
        }
        if state.pending.len() >= self.max_pending {
            return Err(PublishError::Overloaded);
        }
        state.offset += 1;
        let message = state.message(draft, false);
        let position = message.position();
        state.history.push(Arc::clone(&message), self.keep);
        self.hand_out(state, message);
        Ok(Published { position, duplicate: false })
    }

    /// Publishes a message that its publisher has numbered, and keeps elsewhere. Where the stream does not stand right
    /// before that position, its history is dropped and it goes on from there; what it has passed already in that epoch
    /// is not published again, so nobody gets it twice. Ids are not looked at.
    ///
    /// It is never refused, or there would be a gap: its publisher looks at [`Stream::waiting`] before it accepts more.
    pub fn publish_at(self: &Arc<Self>, draft: Draft, position: Position) {
        let mut state = self.lock();
        if state.has_passed(&position) {
            return;
        }
        let before = Position { offset: position.offset.saturating_sub(1), epoch: position.epoch };
        state.stand_at(&before);
        state.offset = position.offset;
        let message = state.message(draft, false);
        state.history.push(Arc::clone(&message), self.keep);
        self.hand_out(state, message);
    }

    /// Says something to those who listen now: in order with the rest, but without a number of its own, and kept for
    /// nobody.
    pub fn tell(self: &Arc<Self>, draft: Draft) -> Result<(), PublishError> {
        let mut state = self.lock();
        if state.pending.len() >= self.max_pending {
            return Err(PublishError::Overloaded);
        }
        let message = state.message(draft, true);
        self.hand_out(state, message);
        Ok(())
    }

    /// Messages that wait to be handed over. More than the bus's `max_pending` are refused, but for those that are
    /// [published at a position](Stream::publish_at).
    pub fn waiting(&self) -> usize {
        self.lock().pending.len()
    }

    /// Makes the stream stand at a position, as if the messages up to there had been published: its history is dropped.
    /// Nothing happens to one that stands there, or has passed it in the same epoch.
    pub fn anchor(&self, position: &Position) {
        let mut state = self.lock();
        if !state.has_passed(position) {
            state.stand_at(position);
        }
    }

    /// The newest message's place.
    pub fn position(&self) -> Position {
        View { state: &self.lock() }.position()
    }

    /// Begins a new epoch with an empty history: what the stream tells of was lost, or begins anew.
    pub fn restart(&self) -> Position {
        let mut state = self.lock();
        state.epoch = Epoch::fresh();
        state.offset = 0;
        state.history.clear();
        View { state: &state }.position()
    }

    /// Holds the stream still and looks at it. What `look` arranges, for example to listen from here on, misses
    /// nothing and gets nothing twice. It must not publish.
    pub fn view<T>(&self, look: impl FnOnce(View<'_>) -> T) -> T {
        look(View { state: &self.lock() })
    }

    /// Hands messages to `sink` too, from the next one on.
    pub fn attach(&self, sink: Arc<dyn Sink>) {
        let mut state = self.lock();
        let after = state.sequence;
        state.sinks.push(Attached { sink, after });
        state.unwatched_since = None;
    }

    /// Hands nothing more to `sink`.
    pub fn detach(&self, sink: &Arc<dyn Sink>) {
        let mut state = self.lock();
        state.sinks.retain(|known| !Arc::ptr_eq(&known.sink, sink));
        if state.sinks.is_empty() && state.unwatched_since.is_none() {
            state.unwatched_since = Some(Instant::now());
        }
    }

    /// Whether anybody listens, or did until a moment ago and may come back: worth publishing to.
    pub fn is_watched(&self) -> bool {
        self.unwatched_for(Instant::now()).is_none_or(|unwatched| unwatched < self.keep.linger)
    }

    /// How long nobody has listened.
    pub(crate) fn unwatched_for(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.lock().unwatched_since?))
    }

    /// How long it outlives its last watcher.
    pub(crate) fn linger(&self) -> Duration {
        self.keep.linger
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a message to whoever hands over, or does so here and now.
    fn hand_out(self: &Arc<Self>, mut state: MutexGuard<'_, State>, message: Arc<Message>) {
        if state.sinks.is_empty() {
            return;
        }
        state.pending.push(message);
        if !std::mem::replace(&mut state.delivering, true) {
            drop(state);
            self.hand_over();
        }
    }

    /// Hands over until nothing is left. Only whoever set `delivering` gets here, so sinks see one call at a time and
    /// messages in order; what is published meanwhile is taken along in one batch.
    fn hand_over(self: &Arc<Self>) {
        for batches in 0.. {
            // Without a runtime it is a publisher's own thread, which may be kept.
            if batches >= IN_ONE_GO && Handle::try_current().is_ok() {
                return self.hand_over_later(Vec::new());
            }
            let Some((batch, sinks)) = self.next_batch() else { return };
            let rest: Vec<Rest> = sinks.iter().filter_map(|sink| sink.deliver(&batch)).collect();
            if !rest.is_empty() {
                return self.hand_over_later(rest);
            }
        }
    }

    fn hand_over_later(self: &Arc<Self>, rest: Vec<Rest>) {
        let stream = Arc::clone(self);
        self.tasks.spawn(async move {
            for part in rest {
                complete(part).await;
            }
            tokio::task::yield_now().await;
            stream.hand_over();
        });
    }

    /// The next messages and who takes them; ends the delivery if there are none.
    fn next_batch(&self) -> Option<(Vec<Arc<Message>>, Vec<Attached>)> {
        let mut state = self.lock();
        if state.pending.is_empty() {
            state.delivering = false;
            return None;
        }
        let rest = if state.pending.len() > BATCH { state.pending.split_off(BATCH) } else { Vec::new() };
        let batch = std::mem::replace(&mut state.pending, rest);
        Some((batch, state.sinks.clone()))
    }
}

impl State {
    /// The next message, at the present offset.
    fn message(&mut self, draft: Draft, transient: bool) -> Arc<Message> {
        self.sequence += 1;
        Arc::new(Message {
            event: draft.event,
            payload: draft.payload,
            given_id: draft.id,
            author: draft.author,
            from: draft.from,
            audience: draft.audience,
            offset: self.offset,
            epoch: self.epoch.clone(),
            transient,
            sequence: self.sequence,
            at_ms: draft.at_ms.unwrap_or_else(now_ms),
        })
    }

    fn has_passed(&self, position: &Position) -> bool {
        self.epoch == position.epoch && self.offset >= position.offset
    }

    /// Goes on after this position; what is kept belongs to what led there, or is dropped.
    fn stand_at(&mut self, position: &Position) {
        if self.epoch != position.epoch || self.offset != position.offset {
            self.history.clear();
            (self.epoch, self.offset) = (position.epoch.clone(), position.offset);
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("topic", &self.topic).finish_non_exhaustive()
    }
}
