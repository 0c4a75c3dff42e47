//! A handler that panics answers 500; the connection and the other requests go on.

use crate::problem::Problem;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Catches panics of what lies within. The panic hook has printed where it happened; here it is logged with the
/// request's span, because a panic is a bug that a human must look at.
pub(crate) async fn catch(request: Request, next: Next) -> Response {
    let mut run = pin!(next.run(request));
    // Unwind safety: after a panic the future is never polled again, only dropped.
    let outcome = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(response)) => Poll::Ready(Some(response)),
        Err(_) => Poll::Ready(None),
    });
    outcome.await.unwrap_or_else(|| {
        tracing::error!("a handler panicked");
        Problem::internal().into_response()
    })
}
