//! A session's membership in one topic.

use crate::codec::{ClientMessage, Dialect, Ref};
use crate::gateway::Place;
use crate::policy::{Access, Identity};
use crate::room::{MemberId, Room};
use crate::token::SeatClaim;
use arena_core::topic::TopicName;
use std::sync::Arc;

/// One topic that a session has joined, or is joining.
#[derive(Debug)]
pub(crate) struct Joined {
    /// As it stands on the wire.
    pub(crate) wire_topic: Arc<str>,
    /// Without the wire's prefix.
    pub(crate) topic: TopicName,
    /// The client's reference of its join, which later messages about it carry.
    pub(crate) join_ref: Option<Ref<'static>>,
    /// Tells two joins of the same topic on one session apart.
    pub(crate) serial: u64,
    /// How far it is.
    pub(crate) state: JoinedState,
    /// Somebody else took its seat while it was on its way.
    pub(crate) seat_taken: bool,
}

impl Joined {
    /// Whether a message is about this join, and not about an earlier one of the same topic.
    pub(crate) fn is_meant_by(&self, message: &ClientMessage<'_>) -> bool {
        match (&message.join_ref, &self.join_ref) {
            (Some(theirs), Some(ours)) => theirs == ours,
            _ => true,
        }
    }
}

/// How far a join is.
#[derive(Debug)]
pub(crate) enum JoinedState {
    /// Something is asked that takes time.
    Pending,
    /// It is a member.
    Member(Membership),
}

/// What a member may do, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    pub(crate) room: Arc<Room>,
    /// Its place in the room.
    pub(crate) member: MemberId,
    /// By the newest token.
    pub(crate) who: Arc<Identity>,
    pub(crate) access: Access,
    /// When the token that it goes by ends, in seconds since 1970; `None` without one.
    pub(crate) token_ends: Option<i64>,
    /// What it understands of broadcasts.
    pub(crate) dialect: Dialect,
    /// The seat it holds in the topic's world.
    pub(crate) seat: Option<Seat>,
    /// Where it counts as somebody whom a conversation's roster names, by the name that it came with.
    pub(crate) attends: Option<Place>,
    /// Whether its broadcasts are acknowledged.
    pub(crate) ack: bool,
    /// The field of its JSON payloads that is the message's id.
    pub(crate) id_field: Option<Arc<str>>,
    /// The key that it is present under.
    pub(crate) presence_key: Arc<str>,
    /// Whether it was warned that its token is about to expire.
    pub(crate) warned: bool,
}

/// A seat that a member holds.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    pub(crate) claim: Arc<SeatClaim>,
    /// The join that took it: whoever took it later has the better right.
    pub(crate) holder: u64,
}
