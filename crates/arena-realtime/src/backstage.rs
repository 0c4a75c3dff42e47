//! What is behind the topics: seats, worlds, conversations and matches, seen from the gateway.

use crate::policy::Identity;
use crate::token::SeatClaim;
use arena_bus::{Epoch, Position, Stream};
use arena_core::conversation::ParticipantId;
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};
use std::pin::Pin;
use std::sync::Arc;

/// A world at one moment, and the place in its topic's stream at that moment.
#[derive(Debug, Clone)]
pub struct Look {
    /// One JSON object.
    pub snapshot: Bytes,
    /// What follows this position in the stream is what followed the snapshot in the world.
    pub position: Position,
}

/// A player that has taken its seat.
#[derive(Debug, Clone)]
pub struct Entered {
    /// The world it is in now.
    pub look: Look,
    /// Who held the seat until now, if somebody did.
    pub took_over: Option<u64>,
}

/// Why something was not done: a stable code, and words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// In snake case.
    pub code: String,
    /// What is wrong and what to do.
    pub detail: String,
}

/// A conversation that is listened to.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The newest line of its log. What follows it is published, in order, to the stream.
    pub position: Position,
    /// The stream of its topic; held, so that it is still the same when somebody listens.
    pub stream: Arc<Stream>,
    /// Who may be there, beside services; empty: anybody.
    pub roster: Vec<ParticipantId>,
    /// The channel whose world this is the talk of: then whoever may watch that world may be there, and the roster says
    /// only who speaks.
    pub channel: Option<String>,
}

/// A line of a conversation's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place in the log.
    pub offset: u64,
    /// When it was said, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What kind of line it is.
    pub event: Arc<str>,
    /// The id that was chosen for it.
    pub id: Option<Arc<str>>,
    /// One JSON value: what was published.
    pub body: Bytes,
}

/// A part of a conversation's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// Its lines, in order. Some may be left out, because they are not meant for whoever asks.
    pub lines: Vec<Line>,
    /// The last line that was looked at.
    pub through: u64,
    /// The log's own, as of its stream.
    pub epoch: Epoch,
    /// Whether there are more.
    pub more: bool,
}

/// Something that a member of a conversation says or asks for.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'a> {
    /// Where, by its id.
    pub conversation: &'a str,
    /// Who.
    pub who: &'a Identity,
    /// What kind: `message`, `reserve`, …
    pub event: &'a str,
    /// What, as one JSON value; whatever the client sent.
    pub json: &'a str,
    /// The id of the broadcast, for a message that has none in itself.
    pub id: Option<&'a str>,
}

/// Something that is asked of the matchmaker for a user.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// For whom: whose topic it is.
    pub user: &'a str,
    /// Who asks: a session of that user, or of a service.
    pub who: &'a Identity,
    /// What: `match_enqueue`, `match_confirm`, …
    pub event: &'a str,
    /// More of it, as one JSON value; whatever the client sent.
    pub json: &'a str,
}

/// Why something that was said in a conversation, or asked of the matchmaker, was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsaid {
    /// A stable code, and words for people.
    pub refused: Refused,
    /// What is told beside them, for machines: whose budget, what is left of it.
    pub more: Map<String, Value>,
}

/// The outcome of something that was said or asked: a JSON object.
pub type Said = Pin<Box<dyn Future<Output = Result<String, Unsaid>> + Send>>;

impl From<Refused> for Unsaid {
    fn from(refused: Refused) -> Unsaid {
        Unsaid { refused, more: Map::new() }
    }
}

/// Answers for what is behind the topics. Calls may take time; the gateway bounds how many a session has under way.
#[async_trait]
pub trait Backstage: Send + Sync + 'static {
    /// Takes the seat that a token claims. `holder` rises with every join, also from one life of the server to the
    /// next; a later one takes the seat from an earlier one, and never the other way round.
    async fn enter(&self, seat: &SeatClaim, holder: u64) -> Result<Entered, Refused>;

    /// The world of a channel as it is now.
    async fn look(&self, channel: &str) -> Result<Look, Refused>;

    /// A player acts. `input` is one JSON value. Returns the tick that carried it out.
    async fn act(&self, seat: &SeatClaim, holder: u64, event: &str, input: &str) -> Result<u64, Refused>;

    /// The holder leaves the seat; if nobody comes back to it in time, it is free. One who holds it no more changes
    /// nothing.
    async fn exit(&self, seat: &SeatClaim, holder: u64);

    /// Listens to a conversation: its stream is made to stand where its log ends, and from there on everything is
    /// published.
    async fn listen(&self, conversation: &str) -> Result<Heard, Refused>;

    /// Up to `limit` lines of a conversation's log after a place, as `user` is to be given them.
    async fn missed(&self, conversation: &str, user: &str, after: u64, limit: u32)
    -> Result<Missed, Refused>;

    /// Says something in a conversation. It takes its place among all that is said there when this is called, so the
    /// order of calls is the order of messages; the future waits for the outcome only.
    fn say(&self, saying: Saying<'_>) -> Said;

    /// Asks something of the matchmaker.
    fn matchmake(&self, asking: Asking<'_>) -> Said;

    /// The first session of a user has come into a conversation whose roster names the user, or the last one has left it.
    /// It is told once for each, and not at all where too much is to be told at once.
    async fn attend(&self, conversation: &str, user: &str, present: bool);
}
