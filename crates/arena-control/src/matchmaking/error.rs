//! What the matchmaker refuses.

use crate::error::ErrorClass;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchEnd, MatchId, QueueName, TicketId};

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// No such queue.
    #[error("there is no queue `{0}`")]
    QueueNotFound(QueueName),
    /// No such ticket.
    #[error("there is no ticket {0}")]
    TicketNotFound(TicketId),
    /// No such match.
    #[error("there is no match {0}")]
    MatchNotFound(MatchId),
    /// The match is no tournament.
    #[error("match {0} is no tournament")]
    NoTournament(MatchId),
    /// A user is on a ticket already.
    #[error("`{user}` is on ticket {ticket} already; cancel that first, or go on with it")]
    OnAnotherTicket {
        /// Who.
        user: ParticipantId,
        /// The ticket.
        ticket: TicketId,
    },
    /// The id belongs to another wish.
    #[error("ticket {0} was made for another wish; use a new id")]
    TicketExists(TicketId),
    /// Somebody acts in a match that is not in it.
    #[error("`{user}` is not in match {id}")]
    NotInMatch {
        /// Who.
        user: ParticipantId,
        /// Which match.
        id: MatchId,
    },
    /// It is too late.
    #[error("match {id} is over: {}", end.as_str())]
    MatchOver {
        /// Which match.
        id: MatchId,
        /// Why it ended.
        end: MatchEnd,
    },
    /// It is too early: not everybody has confirmed.
    #[error("match {0} is not confirmed by everybody yet; decline it instead")]
    NotStanding(MatchId),
    /// It is too late: everybody has confirmed.
    #[error("match {0} stands; skip or leave it instead")]
    Standing(MatchId),
    /// A user has blocked as many as one may.
    #[error("{limit} users are blocked already, and more are not kept; take one of these blocks back first")]
    TooManyBlocks {
        /// How many.
        limit: u32,
    },
    /// The request is wrong.
    #[error("{0}")]
    InvalidRules(String),
    /// The request is wrong.
    #[error("{0}")]
    InvalidTicket(String),
    /// The request is wrong.
    #[error("{0}")]
    InvalidReport(String),
    /// The result cannot be.
    #[error("{0}")]
    InvalidGame(String),
    /// The result contradicts one that was reported.
    #[error("{0}")]
    GameOver(String),
}

impl MatchError {
    /// The stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            MatchError::QueueNotFound(_) => "queue_not_found",
            MatchError::TicketNotFound(_) => "ticket_not_found",
            MatchError::MatchNotFound(_) => "match_not_found",
            MatchError::NoTournament(_) => "no_tournament",
            MatchError::OnAnotherTicket { .. } => "on_another_ticket",
            MatchError::TicketExists(_) => "ticket_exists",
            MatchError::NotInMatch { .. } => "not_in_match",
            MatchError::MatchOver { .. } => "match_over",
            MatchError::NotStanding(_) => "match_not_standing",
            MatchError::Standing(_) => "match_standing",
            MatchError::TooManyBlocks { .. } => "too_many_blocks",
            MatchError::InvalidRules(_) => "invalid_rules",
            MatchError::InvalidTicket(_) => "invalid_ticket",
            MatchError::InvalidReport(_) => "invalid_report",
            MatchError::InvalidGame(_) => "invalid_game",
            MatchError::GameOver(_) => "game_over",
        }
    }

    /// Which kind of answer it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            MatchError::QueueNotFound(_)
            | MatchError::TicketNotFound(_)
            | MatchError::MatchNotFound(_)
            | MatchError::NoTournament(_) => ErrorClass::NotFound,
            MatchError::OnAnotherTicket { .. }
            | MatchError::TicketExists(_)
            | MatchError::NotInMatch { .. }
            | MatchError::MatchOver { .. }
            | MatchError::NotStanding(_)
            | MatchError::Standing(_)
            | MatchError::TooManyBlocks { .. }
            | MatchError::GameOver(_) => ErrorClass::Conflict,
            MatchError::InvalidRules(_)
            | MatchError::InvalidTicket(_)
            | MatchError::InvalidReport(_)
            | MatchError::InvalidGame(_) => ErrorClass::Invalid,
        }
    }
}
