//! RFC 9457 problems, in the form that docs/rest.md promises.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::borrow::Cow;

/// The longest detail, in characters: what a client sent is repeated to it, but not without bound.
const MAX_DETAIL: usize = 500;

/// A refusal. It is written where the request's id is known.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    retry_after_secs: Option<u64>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    retryable: bool,
    request_id: &'a str,
}

impl Problem {
    /// A refusal that trying again does not change.
    pub(super) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Problem {
        let detail: String = detail.into();
        let detail = match detail.char_indices().nth(MAX_DETAIL) {
            Some((end, _)) => format!("{}…", &detail[..end]),
            None => detail,
        };
        Problem { status, code: code.into(), detail, retry_after_secs: None }
    }

    /// The same, as one that may pass after so many seconds.
    pub(super) fn passing(self, secs: u64) -> Problem {
        Problem { retry_after_secs: Some(secs), ..self }
    }

    /// Writes the problem that `response` carries, if it does, as its body. Other headers stay, such as `Allow`.
    pub(super) fn render(mut response: Response, request_id: &str) -> Response {
        let Some(problem) = response.extensions_mut().remove::<Problem>() else {
            return response;
        };
        let body = Body {
            r#type: "about:blank",
            title: problem.status.canonical_reason().unwrap_or("Error"),
            status: problem.status.as_u16(),
            code: &problem.code,
            detail: &problem.detail,
            retryable: problem.retry_after_secs.is_some(),
            request_id,
        };
        let (mut head, _) = response.into_parts();
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(secs) = problem.retry_after_secs {
            head.headers.insert(RETRY_AFTER, secs.into());
        }
        Response::from_parts(head, Json(body).into_response().into_body())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
