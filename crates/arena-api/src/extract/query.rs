//! Query parameters: filters and paging of lists.

use crate::problem::Problem;
use arena_control::PageRequest;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The query, whole. `T` denies unknown fields, so that a misspelt filter is refused, not ignored.
pub(crate) struct Query<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Query(query)),
            Err(rejection) => {
                Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_query", rejection.body_text()))
            }
        }
    }
}

/// How many items a page may hold.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Limit(u32);

impl Limit {
    const MAX: u32 = 1_000;

    /// As a number.
    pub(crate) fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Limit(100)
    }
}

impl TryFrom<u32> for Limit {
    type Error = String;

    fn try_from(limit: u32) -> Result<Self, String> {
        if (1..=Limit::MAX).contains(&limit) {
            Ok(Limit(limit))
        } else {
            Err(format!("{limit} is not a limit of 1 to {}", Limit::MAX))
        }
    }
}

/// The page that a list's query asks for.
pub(crate) fn page_request(limit: Option<Limit>, cursor: Option<String>) -> PageRequest {
    PageRequest { limit: limit.unwrap_or_default().0, cursor }
}
