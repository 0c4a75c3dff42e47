//! Gives every request an id, and writes problems with it.

use super::problem::Problem;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LEN: usize = 128;

/// Takes the client's id or makes one.
pub(super) async fn identify(request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(made);
    let response = next.run(request).await;
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
    HeaderValue::from_str(&Uuid::new_v4().to_string()).expect("invariant: a UUID is visible ASCII")
}
