//! The `{id}` of a path.

use crate::problem::Problem;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use std::fmt::Display;
use std::str::FromStr;

/// A path's one parameter, parsed.
pub(crate) struct Id<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Id<T>
where
    S: Send + Sync,
    T: FromStr<Err: Display>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refuse = |why: String| Problem::new(StatusCode::BAD_REQUEST, "invalid_path", why);
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| refuse(rejection.body_text()))?;
        text.parse().map(Id).map_err(|error: T::Err| refuse(error.to_string()))
    }
}
