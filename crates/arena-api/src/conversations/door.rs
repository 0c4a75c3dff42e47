//! What requests about conversations need to know, and who sends them.

use super::wire::Speaker;
use crate::joining::{Joining, Unidentified};
use crate::problem::Problem;
use crate::router::ApiLimits;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Shared by all requests about conversations.
#[derive(Clone)]
pub(crate) struct Door {
    speaks: Arc<dyn Fn(&Parts) -> Result<Speaker, Unidentified> + Send + Sync>,
    max_text_bytes: usize,
    /// Of logs that are followed. There is no queue: who finds no slot is turned away at once.
    pub(super) streams: Arc<Semaphore>,
    /// How long such a stream may be silent.
    pub(super) keep_alive: Duration,
}

impl Door {
    pub(crate) fn new(joining: &Joining, limits: &ApiLimits) -> Door {
        Door {
            speaks: Arc::clone(&joining.speaks),
            max_text_bytes: limits.max_text_bytes,
            keep_alive: limits.stream_keep_alive,
            streams: Arc::new(Semaphore::new(limits.max_streams.min(Semaphore::MAX_PERMITS))),
        }
    }
}

/// In whose name a request may speak.
pub(super) struct Speaking(pub(super) Speaker);

impl<S: Sync> FromRequestParts<S> for Speaking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let door = parts.extensions.get::<Door>().expect("invariant: the routes are laid in their door");
        let speaker = (door.speaks)(parts)?;
        Ok(Speaking(Speaker { max_text_bytes: door.max_text_bytes, ..speaker }))
    }
}
