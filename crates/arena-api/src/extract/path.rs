//! What stands in braces in a path.

use crate::problem::Problem;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use std::fmt::Display;
use std::str::FromStr;

/// A path's one parameter, parsed.
pub(crate) struct Id<T>(pub(crate) T);

/// A path's two parameters, parsed.
pub(crate) struct Ids<T, U>(pub(crate) T, pub(crate) U);

impl<S, T> FromRequestParts<S> for Id<T>
where
    S: Send + Sync,
    T: FromStr<Err: Display>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| refuse(rejection.body_text()))?;
        parsed(&text).map(Id)
    }
}

impl<S, T, U> FromRequestParts<S> for Ids<T, U>
where
    S: Send + Sync,
    T: FromStr<Err: Display>,
    U: FromStr<Err: Display>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| refuse(rejection.body_text()))?;
        Ok(Ids(parsed(&first)?, parsed(&second)?))
    }
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| refuse(error.to_string()))
}

fn refuse(why: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_path", why)
}
