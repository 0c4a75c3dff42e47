//! What is wrong with a request before a conversation is asked.

use crate::extract::BadJson;
use crate::problem::Problem;
use arena_core::matching::TicketId;
use axum::http::StatusCode;

/// Why a request is not a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// No JSON.
    #[error("{0}")]
    Malformed(String),
    /// JSON that says the wrong thing.
    #[error("{0}")]
    Invalid(String),
    /// More text, or data, than is taken.
    #[error("{field} is {got} bytes; at most {max} are taken")]
    TooLong {
        /// What.
        field: &'static str,
        /// Its length.
        got: usize,
        /// The limit.
        max: usize,
    },
    /// A user wants to speak as somebody else, or nobody in particular wants to speak.
    #[error("{}", not_your_name(name.as_deref()))]
    NotYourName {
        /// In whose name.
        name: Option<String>,
    },
    /// What users may not do.
    #[error("this takes a token of the role service_role")]
    ServiceOnly,
    /// A user asks about somebody else's ticket.
    #[error("ticket {0} is somebody else's")]
    NotYourTicket(TicketId),
    /// No such event.
    #[error("`{0}` is not among message, reserve, release, top_up, close, reopen, system, turn, configure")]
    UnknownEvent(String),
}

fn not_your_name(name: Option<&str>) -> String {
    match name {
        Some(name) => {
            format!("the token does not speak for `{name}`; leave the name out, or show another token")
        }
        None => "there is nobody to speak for: show a token with a subject (`sub`)".to_owned(),
    }
}

impl WireError {
    /// The stable code for machines.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            WireError::Malformed(_) => "malformed_json",
            WireError::Invalid(_) => "invalid_body",
            WireError::TooLong { .. } => "text_too_long",
            WireError::NotYourName { .. } => "not_your_name",
            WireError::ServiceOnly => "service_only",
            WireError::NotYourTicket(_) => "not_your_ticket",
            WireError::UnknownEvent(_) => "unknown_event",
        }
    }
}

impl From<BadJson> for WireError {
    fn from(bad: BadJson) -> WireError {
        match bad {
            BadJson::Malformed(why) => WireError::Malformed(why),
            BadJson::Invalid(why) => WireError::Invalid(why),
        }
    }
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Problem {
        let status = match error {
            WireError::Malformed(_) => StatusCode::BAD_REQUEST,
            WireError::NotYourName { .. } | WireError::ServiceOnly | WireError::NotYourTicket(_) => {
                StatusCode::FORBIDDEN
            }
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Problem::new(status, error.code(), error.to_string())
    }
}
