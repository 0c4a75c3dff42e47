//! Pages of other sites do not command bots: a browser lets any page post to an address on this machine.

use super::problem::Problem;
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses what a page of another origin sends. Programs name no origin.
pub(super) async fn same_only(request: Request, next: Next) -> Response {
    if request.method() == Method::GET || is_same(request.headers()) {
        return next.run(request).await;
    }
    let detail = "pages of other sites may not command bots; use a program, or a page of this server";
    Problem::new(StatusCode::FORBIDDEN, "other_origin", detail).into_response()
}

fn is_same(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let text = |value: &axum::http::HeaderValue| value.to_str().map(str::to_owned).ok();
    let named = text(origin).and_then(|origin| origin.split_once("://").map(|(_, host)| host.to_owned()));
    named.is_some() && named == headers.get(HOST).and_then(text)
}
