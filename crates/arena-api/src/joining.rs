//! What a player needs to join that this crate knows nothing of: proof of who it is, and a token to enter with; and who
//! speaks in conversations.

use crate::conversations::wire::Speaker;
use crate::problem::Problem;
use arena_control::Reservation;
use arena_core::Timestamp;
use axum::http::StatusCode;
use axum::http::request::Parts;
use std::fmt;
use std::sync::Arc;

/// Whether everybody may watch the world of a channel, and so read what its residents say.
pub type Watched = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Handed in by whoever starts the API and knows the tokens. Clones share it.
#[derive(Clone)]
pub struct Joining {
    /// Who sends a request, by its head.
    pub identify: Arc<dyn Fn(&Parts) -> Result<Joiner, Unidentified> + Send + Sync>,
    /// In whose name a request may speak in conversations, by its head. One without a token is a service.
    pub speaks: Arc<dyn Fn(&Parts) -> Result<Speaker, Unidentified> + Send + Sync>,
    /// Which worlds everybody may watch.
    pub watched: Watched,
    /// Where players connect to: a WebSocket URL, such as `ws://127.0.0.1:7700/socket`.
    pub endpoint: Arc<str>,
}

impl fmt::Debug for Joining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joining").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Somebody who wants to join.
pub struct Joiner {
    /// The subject of its token, or a made-up user where anonymous ones are allowed.
    pub user: String,
    /// Writes the token for the seat that it gets.
    pub issue: Box<dyn FnOnce(&Reservation) -> JoinToken + Send>,
}

/// What a player enters with.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// A token that names the seat.
    pub token: String,
    /// When the token is no longer accepted.
    pub expires_at: Timestamp,
}

/// Nobody can be told from the request, or the token in it is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Unidentified {
    /// What is wrong, and what would be right. It is told to the client.
    pub detail: String,
}

impl From<Unidentified> for Problem {
    fn from(Unidentified { detail }: Unidentified) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }
}
