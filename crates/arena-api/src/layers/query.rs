//! Only lists take query parameters; everywhere else one is a mistake that must not pass unnoticed.

use crate::problem::Problem;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// The lists; their own extractors check their parameters.
const LISTS: [&str; 5] = ["/api/channels", "/api/bots", "/api/players", "/api/worlds", "/api/activity"];

/// Refuses a query where none is taken.
pub(crate) async fn only_on_lists(request: Request, next: Next) -> Result<Response, Problem> {
    let route = request.extensions().get::<MatchedPath>().map_or("", |path| path.as_str());
    let is_list = matches!(*request.method(), Method::GET | Method::HEAD) && LISTS.contains(&route);
    match request.uri().query() {
        Some(query) if !query.is_empty() && !is_list => {
            let detail = format!("{} {route} takes no query parameters", request.method());
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail))
        }
        _ => Ok(next.run(request).await),
    }
}
