//! Why a conversation refuses something.

use super::{MessageId, ParticipantId, ReservationId, Scope, SetupError};
use serde::{Deserialize, Serialize};

/// What ended a conversation. It stays ended until somebody tops it up, or opens it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExhaustedBy {
    /// As many messages as there may be.
    TotalLimit,
    /// Its tokens are spent.
    TokenLimit,
    /// Its money is spent.
    CostLimit,
    /// Its time is over, or nobody spoke for too long.
    Timeout,
    /// Everybody in the roster has spent their share.
    AllParticipantsExhausted,
    /// A moderator closed it.
    ClosedByModerator,
    /// It came to its end of its own accord.
    Ended,
}

impl ExhaustedBy {
    /// In snake case, as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ExhaustedBy::TotalLimit => "total_limit",
            ExhaustedBy::TokenLimit => "token_limit",
            ExhaustedBy::CostLimit => "cost_limit",
            ExhaustedBy::Timeout => "timeout",
            ExhaustedBy::AllParticipantsExhausted => "all_participants_exhausted",
            ExhaustedBy::ClosedByModerator => "closed_by_moderator",
            ExhaustedBy::Ended => "ended",
        }
    }
}

/// The kinds of refusal; a stable code on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No message is left: of the conversation, its tree or its owner, as the scope says.
    TotalLimit,
    /// No message is left for this participant.
    ParticipantLimit,
    /// Not enough tokens are left.
    TokenLimit,
    /// Not enough money is left.
    CostLimit,
    /// What is left is guaranteed to others.
    GuaranteedToOthers,
    /// Time is over.
    Timeout,
    /// Everybody in the roster has spent their share.
    AllParticipantsExhausted,
    /// A moderator closed it.
    ClosedByModerator,
    /// It came to its end.
    Ended,
    /// It is somebody else's turn.
    NotYourTurn,
    /// They go round in circles.
    LoopDetected,
    /// Not in the roster.
    NotAParticipant,
    /// More have spoken than may.
    TooManyParticipants,
    /// The same id stood for another message.
    IdConflict,
    /// No reservation of that name is held.
    ReservationNotFound,
    /// The moderator refused it.
    ModerationRejected,
    /// The moderator did not answer as it should.
    ModerationUnavailable,
    /// What was asked makes no sense here.
    Invalid,
    /// It was not closed, so it cannot be opened again; or closed, so that topping it up would not open it.
    WrongState,
}

impl Code {
    /// In snake case, as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::TotalLimit => "total_limit",
            Code::ParticipantLimit => "participant_limit",
            Code::TokenLimit => "token_limit",
            Code::CostLimit => "cost_limit",
            Code::GuaranteedToOthers => "guaranteed_to_others",
            Code::Timeout => "timeout",
            Code::AllParticipantsExhausted => "all_participants_exhausted",
            Code::ClosedByModerator => "closed_by_moderator",
            Code::Ended => "ended",
            Code::NotYourTurn => "not_your_turn",
            Code::LoopDetected => "loop_detected",
            Code::NotAParticipant => "not_a_participant",
            Code::TooManyParticipants => "too_many_participants",
            Code::IdConflict => "id_conflict",
            Code::ReservationNotFound => "reservation_not_found",
            Code::ModerationRejected => "moderation_rejected",
            Code::ModerationUnavailable => "moderation_unavailable",
            Code::Invalid => "invalid_conversation",
            Code::WrongState => "wrong_state",
        }
    }

    /// Whether it is a message dropped for want of capacity: told on the topic as `channel_capacity_exceeded`.
    pub fn is_capacity(self) -> bool {
        matches!(
            self,
            Code::TotalLimit
                | Code::ParticipantLimit
                | Code::TokenLimit
                | Code::CostLimit
                | Code::GuaranteedToOthers
                | Code::Timeout
                | Code::AllParticipantsExhausted
                | Code::ClosedByModerator
                | Code::Ended
                | Code::NotYourTurn
                | Code::LoopDetected
        )
    }
}

impl From<ExhaustedBy> for Code {
    fn from(by: ExhaustedBy) -> Code {
        match by {
            ExhaustedBy::TotalLimit => Code::TotalLimit,
            ExhaustedBy::TokenLimit => Code::TokenLimit,
            ExhaustedBy::CostLimit => Code::CostLimit,
            ExhaustedBy::Timeout => Code::Timeout,
            ExhaustedBy::AllParticipantsExhausted => Code::AllParticipantsExhausted,
            ExhaustedBy::ClosedByModerator => Code::ClosedByModerator,
            ExhaustedBy::Ended => Code::Ended,
        }
    }
}

/// A refusal, as a machine reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Which kind.
    pub code: Code,
    /// Whose budget, where it is about one.
    pub scope: Scope,
    /// What that budget allows; `None` where there is no number.
    pub limit: Option<u64>,
    /// What of it is used or held.
    pub used: Option<u64>,
    /// What of it is left.
    pub remaining: Option<u64>,
    /// When trying again may help, in milliseconds from now; `None` where only a top-up or somebody's act does.
    pub retry_after_ms: Option<u64>,
    /// Which message.
    pub message_id: Option<MessageId>,
    /// Words for people: what is wrong and what to do.
    pub detail: String,
}

impl Refusal {
    /// One that is about no budget.
    pub fn plain(code: Code, detail: impl Into<String>) -> Refusal {
        Refusal {
            code,
            scope: Scope::Conversation,
            limit: None,
            used: None,
            remaining: None,
            retry_after_ms: None,
            message_id: None,
            detail: detail.into(),
        }
    }

    /// Somebody who may not speak here.
    pub fn not_a_participant(who: &ParticipantId) -> Refusal {
        Refusal {
            scope: Scope::Participant,
            ..Refusal::plain(Code::NotAParticipant, format!("`{who}` is no participant of this conversation"))
        }
    }

    /// Nothing is held under this name.
    pub fn no_reservation(id: &ReservationId) -> Refusal {
        Refusal::plain(
            Code::ReservationNotFound,
            format!("no reservation `{id}` is held here; it may have lapsed"),
        )
    }
}

impl From<SetupError> for Refusal {
    fn from(error: SetupError) -> Refusal {
        Refusal::plain(Code::Invalid, error.to_string())
    }
}
