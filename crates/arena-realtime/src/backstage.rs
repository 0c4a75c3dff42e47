//! What is behind the topics: seats and worlds, seen from the gateway.

use crate::token::SeatClaim;
use arena_bus::Position;
use async_trait::async_trait;
use bytes::Bytes;

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
}
