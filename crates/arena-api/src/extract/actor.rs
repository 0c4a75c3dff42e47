//! Who acts.

use crate::problem::Problem;
use arena_control::Actor;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

const HEADER: &str = "x-arena-actor";

/// The actor that `X-Arena-Actor` names, `api` without it.
pub(crate) struct Acting(pub(crate) Actor);

impl<S: Sync> FromRequestParts<S> for Acting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refuse = |why: String| Problem::new(StatusCode::BAD_REQUEST, "invalid_header", why);
        let name = match parts.headers.get(HEADER) {
            None => "api",
            Some(value) => std::str::from_utf8(value.as_bytes())
                .map_err(|_| refuse("X-Arena-Actor is not UTF-8".to_owned()))?,
        };
        Actor::parse(name).map(Acting).map_err(|error| refuse(format!("X-Arena-Actor: {error}")))
    }
}
