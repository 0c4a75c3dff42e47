//! Runs a request once for its key, and gives its outcome again.

use super::key::{Key, fingerprint};
use super::within_deadline;
use crate::problem::{PROBLEM_JSON, Problem};
use arena_control::{Begun, Idempotency, StoredReply};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const REPLAYED: &str = "idempotency-replayed";

/// A request with a key, about to run.
pub(super) struct Once {
    idempotency: Idempotency,
    key: String,
    fingerprint: String,
}

impl Once {
    pub(super) fn new(idempotency: Idempotency, Key(key): Key, head: &Parts, body_hash: &[u8; 32]) -> Once {
        Once { idempotency, key, fingerprint: fingerprint(head, body_hash) }
    }

    /// Runs the request unless its key says that it ran before. Nothing in here is cut short by a client that
    /// leaves: the task ends with the key settled either way.
    pub(super) async fn run(self, request: Request, next: Next) -> Response {
        match self.idempotency.begin(&self.key, &self.fingerprint).await {
            Ok(Begun::Fresh) => {
                let response = within_deadline(request, next).await;
                self.settle(response).await
            }
            Ok(Begun::Replay(reply)) => replay(reply).into_response(),
            Ok(Begun::InProgress) => {
                let detail = "the first request with this Idempotency-Key is still running";
                Problem::new(StatusCode::CONFLICT, "request_in_progress", detail).retryable().into_response()
            }
            Ok(Begun::Mismatch) => {
                let detail = "this Idempotency-Key was used for another path, media type or body";
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
                    .into_response()
            }
            Err(error) => Problem::from(error).into_response(),
        }
    }

    /// Stores the outcome, unless it is one that trying again may change, or one that must not be stored.
    async fn settle(self, response: Response) -> Response {
        let secret = response.headers().get(CACHE_CONTROL).is_some_and(|value| value == "no-store");
        let passing = response.extensions().get::<Problem>().is_some_and(Problem::may_pass);
        if secret || passing || response.status().is_server_error() {
            if let Err(error) = self.idempotency.abandon(&self.key).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an idempotency key stays in progress"
                );
            }
            return response;
        }
        let (reply, response) = match keep(response).await {
            Ok(kept) => kept,
            Err(problem) => return problem.into_response(),
        };
        if let Err(error) = self.idempotency.finish(&self.key, reply).await {
            // It took effect, so it must not run again: the key stays in progress until it expires.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "an outcome could not be stored for its key"
            );
        }
        response
    }
}

/// Splits an answer into what is stored and the answer itself. A problem is stored without the id of its request,
/// so that the replay carries its own.
async fn keep(response: Response) -> Result<(StoredReply, Response), Problem> {
    let status = response.status().as_u16();
    if let Some(problem) = response.extensions().get::<Problem>() {
        let body = problem.to_kept();
        return Ok((StoredReply { status, content_type: PROBLEM_JSON.to_owned(), body }, response));
    }
    let (head, body) = response.into_parts();
    let content_type =
        head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = content_type.to_owned();
    // Our own answers are in memory already; there is nothing to bound and nothing that can fail.
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
    let reply = StoredReply { status, content_type, body: body.to_vec() };
    Ok((reply, Response::from_parts(head, Body::from(body))))
}

fn replay(reply: StoredReply) -> Result<Response, Problem> {
    let unreadable = |what: &str| {
        tracing::error!(what, "a stored reply cannot be read");
        Problem::internal()
    };
    let status = StatusCode::from_u16(reply.status).map_err(|_| unreadable("status"))?;
    let mut response = if reply.content_type == PROBLEM_JSON {
        Problem::from_kept(status, &reply.body).map_err(|_| unreadable("problem"))?.into_response()
    } else {
        let mut response = (status, Body::from(reply.body)).into_response();
        if !reply.content_type.is_empty() {
            let content_type =
                HeaderValue::from_str(&reply.content_type).map_err(|_| unreadable("media type"))?;
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        response
    };
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
