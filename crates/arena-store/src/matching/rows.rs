//! What is stored, a row at a time.

use arena_core::Timestamp;
use arena_core::channel::ChannelName;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::{
    Kind, MatchEnd, MatchId, MatchState, QueueName, TicketEnd, TicketId, TicketState, Wish,
};
use std::sync::Arc;

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRow {
    /// Which.
    pub id: TicketId,
    /// Where it waits, or waited.
    pub queue: QueueName,
    /// What it wants.
    pub wish: Arc<Wish>,
    /// Where it is in its life.
    pub state: TicketState,
    /// Why it has ended, if it has.
    pub ended: Option<TicketEnd>,
    /// Rises with every change of its state.
    pub version: i64,
    /// When it began to wait.
    pub since: Timestamp,
    /// It comes before those that were not let down.
    pub ahead: bool,
    /// When something was last heard of its user.
    pub seen_at: Timestamp,
    /// The match that it is in, or was in last.
    pub in_match: Option<MatchId>,
    /// How long it waited for the match that it is in, or was in last, once that stood; in milliseconds.
    pub waited_ms: Option<u64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state changed.
    pub changed_at: Timestamp,
}

/// A match, with the tickets in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRow {
    /// Which.
    pub id: MatchId,
    /// The queue that it came from.
    pub queue: QueueName,
    /// Where it is in its life.
    pub state: MatchState,
    /// Why it has ended, if it has.
    pub ended: Option<MatchEnd>,
    /// Whose doing that was, if it was somebody's.
    pub ended_by: Option<ParticipantId>,
    /// Where its members talk.
    pub conversation: Option<ConversationId>,
    /// Where its tournament is.
    pub channel: Option<ChannelName>,
    /// How well they go together, 0 to 100.
    pub quality: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when everybody has to confirm.
    pub confirm_until: Timestamp,
    /// When its state changed.
    pub changed_at: Timestamp,
    /// Its tickets, by team.
    pub members: Vec<MemberRow>,
}

/// A ticket in a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Which ticket.
    pub ticket: TicketId,
    /// Who acts for it.
    pub user: ParticipantId,
    /// What kind.
    pub kind: Kind,
    /// How others are told of it.
    pub name: Option<String>,
    /// Who is on it beside `user`.
    pub party: Vec<ParticipantId>,
    /// Its team, from 0.
    pub team: u32,
    /// When it confirmed, if it has.
    pub confirmed_at: Option<Timestamp>,
    /// Since when its connection is gone, if it is.
    pub away_since: Option<Timestamp>,
}

/// What a user has said about a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Which.
    pub id: uuid::Uuid,
    /// The match that they met in.
    pub in_match: MatchId,
    /// Who says it.
    pub reporter: ParticipantId,
    /// Of whom.
    pub reported: ParticipantId,
    /// A short word.
    pub reason: String,
    /// More of it, for people.
    pub detail: String,
    /// When.
    pub created_at: Timestamp,
}
