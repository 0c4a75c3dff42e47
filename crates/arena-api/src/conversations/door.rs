//! What requests about conversations need to know, and who sends them.

use super::followers::Followers;
use super::log::LogReads;
use super::wire::Speaker;
use crate::joining::{Joining, Unidentified, Watched};
use crate::problem::Problem;
use crate::router::ApiLimits;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::sync::Arc;
use std::time::Duration;

/// Shared by all requests about conversations, and about matchmaking.
#[derive(Clone)]
pub(crate) struct Door {
    speaks: Arc<dyn Fn(&Parts) -> Result<Speaker, Unidentified> + Send + Sync>,
    max_text_bytes: usize,
    /// How long a followed log may be silent.
    pub(super) keep_alive: Duration,
    pub(super) watched: Watched,
    pub(super) reads: LogReads,
    pub(super) followers: Followers,
}

impl Door {
    pub(crate) fn new(joining: &Joining, limits: &ApiLimits) -> Door {
        Door {
            speaks: Arc::clone(&joining.speaks),
            max_text_bytes: limits.max_text_bytes,
            keep_alive: limits.stream_keep_alive,
            watched: Arc::clone(&joining.watched),
            reads: limits.log_reads.clone(),
            followers: Followers::new(limits.max_streams),
        }
    }

    /// The one that a request came by.
    pub(super) fn of(parts: &Parts) -> &Door {
        parts.extensions.get::<Door>().expect("invariant: the routes are laid in their door")
    }
}

/// In whose name a request may speak.
pub(crate) struct Speaking(pub(crate) Speaker);

impl<S: Sync> FromRequestParts<S> for Speaking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let door = Door::of(parts);
        let speaker = (door.speaks)(parts)?;
        Ok(Speaking(Speaker { max_text_bytes: door.max_text_bytes, ..speaker }))
    }
}
