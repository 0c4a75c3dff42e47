//! Lists and a few others take query parameters; everywhere else one is a mistake that must not pass unnoticed.

use crate::problem::Problem;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// What takes a query, by method and route; their own extractors check it. HEAD is as GET.
const TAKE_ONE: [(&str, &str); 16] = [
    ("GET", "/api/channels"),
    ("GET", "/api/bots"),
    ("GET", "/api/players"),
    ("GET", "/api/worlds"),
    ("GET", "/api/activity"),
    ("GET", "/api/conversations"),
    ("GET", "/api/conversations/{id}/messages"),
    ("GET", "/api/conversations/{id}/messages/stream"),
    ("GET", "/api/conversations/{id}/context"),
    ("GET", "/api/matchmaking/tickets"),
    ("GET", "/api/matchmaking/tickets/{id}"),
    ("GET", "/api/matchmaking/matches"),
    ("GET", "/api/matchmaking/reports"),
    ("GET", "/api/matchmaking/blocks"),
    ("GET", "/api/matchmaking/tournaments"),
    ("DELETE", "/api/conversations/{id}/reservations/{reservation}"),
];

/// Refuses a query where none is taken.
pub(crate) async fn only_where_taken(request: Request, next: Next) -> Result<Response, Problem> {
    let route = request.extensions().get::<MatchedPath>().map_or("", |path| path.as_str());
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let takes_one = TAKE_ONE.contains(&(method.as_str(), route));
    match request.uri().query() {
        Some(query) if !query.is_empty() && !takes_one => {
            let detail = format!("{} {route} takes no query parameters", request.method());
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail))
        }
        _ => Ok(next.run(request).await),
    }
}
