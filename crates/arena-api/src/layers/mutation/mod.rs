//! Requests that change something: their body is read and measured first, then they run to the end in a task of
//! their own, whether or not the client still listens. A POST with an `Idempotency-Key` runs once.

mod body;
mod key;
mod once;

use crate::layers::load::Slot;
use crate::problem::Problem;
use arena_control::Idempotency;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use key::Key;
use std::time::Duration;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The longest a change may run, client or not; everything within has shorter timeouts of its own. The store takes
/// the key of a request that is older than 120 s for one of a process that died, so a request must be over by then.
const RUN_DEADLINE: Duration = Duration::from_secs(100);

/// What the layer needs to know.
#[derive(Clone)]
pub(crate) struct Mutations {
    pub(crate) idempotency: Idempotency,
    pub(crate) body_limit_bytes: usize,
}

/// Runs what is not a mere reading.
pub(crate) async fn run_to_the_end(
    State(mutations): State<Mutations>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    let key = if request.method() == Method::POST { Key::of(request.headers())? } else { None };
    let (mut head, body) = request.into_parts();
    let body = body::read(body, mutations.body_limit_bytes).await?;
    let once = key.map(|key| once::Once::new(mutations.idempotency, key, &head, &body.hash));

    // The server puts its tracker into the request, and waits for it when it drains.
    let tracker = head.extensions.get::<TaskTracker>().cloned().unwrap_or_default();
    let slot = head.extensions.remove::<Slot>();
    let request = Request::from_parts(head, Body::from(body.bytes));
    let work = async move {
        let response = match once {
            Some(once) => once.run(request, next).await,
            None => within_deadline(request, next).await,
        };
        drop(slot);
        response
    };
    Ok(tracker.spawn(work.in_current_span()).await.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a change did not run to its end");
        Problem::internal().into_response()
    }))
}

async fn within_deadline(request: Request, next: Next) -> Response {
    tokio::time::timeout(RUN_DEADLINE, next.run(request)).await.unwrap_or_else(|_| {
        tracing::error!(deadline_secs = RUN_DEADLINE.as_secs(), "a change was cut off at its deadline");
        Problem::internal().into_response()
    })
}
