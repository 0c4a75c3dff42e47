//! What a bot holds of a channel, and what its supervisor holds.

use crate::token::TokenSource;
use arena_core::fleet::Fault;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What is heard and not looked at yet. A bot that is behind by more loses its place: the channel is joined anew, from
/// the last message that it took.
const EVENTS: usize = 64;
/// What is to be said and not sent yet; more is refused.
const ASKS: usize = 16;

/// What to join, and how.
#[derive(Debug, Clone)]
pub struct ChannelSpec {
    /// The topic, without `realtime:`.
    pub topic: String,
    /// Whether the private topic of that name is meant.
    pub private: bool,
    /// In whose name: the bot's own token, or the fleet's key.
    pub token: TokenSource,
    /// The key of the presence there; `None`: no presence.
    pub presence_key: Option<String>,
    /// What is shown there, from the first join on; [`Channel::track`] replaces it.
    pub presence: Option<Value>,
    /// Whether presence of others is wanted.
    pub watches_presence: bool,
}

/// What happens in a channel.
#[derive(Debug, Clone, PartialEq)]
pub enum ChannelEvent {
    /// It is joined, for the first time or again; what the endpoint answered.
    Joined {
        /// The reply's `response`.
        response: Value,
    },
    /// A broadcast.
    Message {
        /// Its event.
        event: String,
        /// What it carries.
        payload: Value,
        /// `{id, offset, epoch, replayed}`, as far as the endpoint has them.
        meta: Value,
    },
    /// `presence_state` (all that is there now) or `presence_diff`.
    Presence {
        /// Which of the two.
        event: String,
        /// What it carries.
        payload: Value,
    },
    /// A word of the endpoint's about the topic.
    System {
        /// Whether it is about something that went well.
        ok: bool,
        /// In words.
        message: String,
    },
    /// It is not joined now; it will be tried again after `after`.
    Down {
        /// Why.
        fault: Fault,
        /// When.
        after: Duration,
    },
    /// It will not be tried again.
    Ended {
        /// Why.
        fault: Fault,
    },
}

/// The answer to a push.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Whether it was done.
    pub ok: bool,
    /// What the endpoint says to it.
    pub response: Value,
}

/// Why a push has no answer. Whether it was done is not known but of the first two.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The channel is not joined at present.
    #[error("the channel is not joined at present")]
    NotJoined,
    /// Too much waits to be sent.
    #[error("too much waits to be sent")]
    Full,
    /// No answer within the timeout.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or the channel was closed, before the answer came.
    #[error("the channel was lost before the answer came")]
    Lost,
}

/// What a bot asks of its channel.
#[derive(Debug)]
pub enum Ask {
    /// Send a broadcast and hand over the answer.
    Push {
        /// The broadcast's event.
        event: String,
        /// What it carries.
        payload: Value,
        /// Takes the answer.
        answer: oneshot::Sender<Result<Reply, PushError>>,
    },
    /// Show this in the presence from now on, after rejoins too.
    Track(Value),
    /// Take the presence back, leave the topic and return the lease; then answer.
    Leave(oneshot::Sender<()>),
}

/// A bot's end. Dropping it leaves the channel as well, without waiting.
#[derive(Debug)]
pub struct Channel {
    topic: String,
    asks: mpsc::Sender<Ask>,
    events: mpsc::Receiver<ChannelEvent>,
    _left: DropGuard,
}

/// Says something in a channel while somebody else listens to it. It keeps no channel alive.
#[derive(Debug, Clone)]
pub struct Pusher {
    asks: mpsc::WeakSender<Ask>,
}

impl Pusher {
    /// Sends a broadcast and waits for the answer, as [`Channel::push`] does.
    pub async fn push(&self, event: &str, payload: Value) -> Result<Reply, PushError> {
        let answered = match self.asks.upgrade() {
            Some(asks) => ask(&asks, event, payload)?,
            None => return Err(PushError::NotJoined),
        };
        answered.await.unwrap_or(Err(PushError::Lost))
    }
}

impl Pusher {
    /// Shows this in the presence from now on, as [`Channel::track`] does.
    pub fn track(&self, payload: Value) -> bool {
        self.asks.upgrade().is_some_and(|asks| asks.try_send(Ask::Track(payload)).is_ok())
    }
}

/// Hands a broadcast over to the supervisor; gives where its answer will be.
fn ask(asks: &mpsc::Sender<Ask>, event: &str, payload: Value) -> Result<Answered, PushError> {
    let (answer, answered) = oneshot::channel();
    let ask = Ask::Push { event: event.to_owned(), payload, answer };
    asks.try_send(ask).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => PushError::Full,
        mpsc::error::TrySendError::Closed(_) => PushError::NotJoined,
    })?;
    Ok(answered)
}

type Answered = oneshot::Receiver<Result<Reply, PushError>>;

/// The supervisor's end.
#[derive(Debug)]
pub struct FarEnd {
    /// What the bot asks for; `None` when it has gone.
    pub asks: mpsc::Receiver<Ask>,
    /// What it is told; bounded, so use `try_send`.
    pub events: mpsc::Sender<ChannelEvent>,
    /// Cancelled when the bot's end is dropped.
    pub gone: CancellationToken,
}

impl Channel {
    /// Both ends.
    pub fn pair(topic: &str) -> (Channel, FarEnd) {
        let (asks, far_asks) = mpsc::channel(ASKS);
        let (far_events, events) = mpsc::channel(EVENTS);
        let gone = CancellationToken::new();
        let left = gone.clone().drop_guard();
        let near = Channel { topic: topic.to_owned(), asks, events, _left: left };
        (near, FarEnd { asks: far_asks, events: far_events, gone })
    }

    /// Its topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// What happens next; `None` after it has ended.
    pub async fn next(&mut self) -> Option<ChannelEvent> {
        self.events.recv().await
    }

    /// Sends a broadcast and waits for the answer.
    pub async fn push(&self, event: &str, payload: Value) -> Result<Reply, PushError> {
        ask(&self.asks, event, payload)?.await.unwrap_or(Err(PushError::Lost))
    }

    /// Says things in it while this end listens.
    pub fn pusher(&self) -> Pusher {
        Pusher { asks: self.asks.downgrade() }
    }

    /// Shows this in the presence from now on. Where too much waits to be sent, it is not, and `false` says so.
    pub fn track(&self, payload: Value) -> bool {
        self.asks.try_send(Ask::Track(payload)).is_ok()
    }

    /// Leaves, and waits until that is done or `deadline` is over.
    pub async fn leave(self, deadline: Duration) {
        let (left, has_left) = oneshot::channel();
        let leaving = async {
            if self.asks.send(Ask::Leave(left)).await.is_ok() {
                let _ = has_left.await;
            }
        };
        let _ = tokio::time::timeout(deadline, leaving).await;
    }
}
