//! The outermost layer: gives every request an id and a span, and writes problems with that id.

use crate::problem::Problem;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LEN: usize = 128;

/// Takes or makes the id; see docs/rest.md.
pub(crate) async fn identify(request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(made);
    let text = id.to_str().unwrap_or_default().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("-", |path| path.as_str());
    let span = tracing::info_span!("request", request_id = text, method = %request.method(), route);

    let started = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| {
        let duration_ms = started.elapsed().as_secs_f64() * 1_000.0;
        tracing::debug!(status = response.status().as_u16(), duration_ms, "answered");
    });

    let mut response = Problem::render(response, &text);
    response.headers_mut().insert(HEADER, id);
    response
}

/// Writes the problem that an answer carries which no route has given.
pub(super) fn render(response: Response, asked: &HeaderMap) -> Response {
    let id = given(asked).unwrap_or_else(made);
    let mut response = Problem::render(response, id.to_str().unwrap_or_default());
    response.headers_mut().insert(HEADER, id);
    response
}

/// The client's id, if it is one. Anything else is replaced, not refused: an id is only for finding a request again.
fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(HEADER)?;
    let bytes = value.as_bytes();
    let fits = (1..=MAX_LEN).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    fits.then(|| value.clone())
}

fn made() -> HeaderValue {
    HeaderValue::from_str(&Uuid::now_v7().to_string()).expect("invariant: a UUID is visible ASCII")
}
