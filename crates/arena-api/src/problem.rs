//! RFC 9457 problems: how every refusal looks on the wire.

use crate::conversations::wire::RefusalBody;
use arena_control::{ErrorClass, ServiceError};
use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// The media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// The longest detail, in characters: what a client sent is repeated to it, but not without bound.
const MAX_DETAIL: usize = 500;

/// A refusal. Handlers return it; [`Problem::render`] writes it where the request's id is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    retryable: bool,
    retry_after: Option<Duration>,
    /// What a conversation's refusal tells besides.
    refusal: Option<Box<RefusalBody>>,
}

/// What of a problem is kept for a replay; the status stands beside it.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    code: Cow<'a, str>,
    detail: Cow<'a, str>,
    retryable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusal: Option<Box<RefusalBody>>,
}

/// A problem's JSON.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    retryable: bool,
    request_id: &'a str,
    #[serde(flatten)]
    refusal: Option<&'a RefusalBody>,
}

impl Problem {
    /// A refusal that trying again does not change.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        let detail: String = detail.into();
        let detail = match detail.char_indices().nth(MAX_DETAIL) {
            Some((end, _)) => format!("{}…", &detail[..end]),
            None => detail,
        };
        let code = Cow::Borrowed(code);
        Problem { status, code, detail, retryable: false, retry_after: None, refusal: None }
    }

    /// A refusal that passes: the client should try again after `delay`.
    pub(crate) fn unavailable(code: &'static str, detail: impl Into<String>, delay: Duration) -> Problem {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        Problem { retryable: true, retry_after: Some(delay), ..problem }
    }

    /// Our own fault. What happened is logged where it is noticed and never told to the client.
    pub(crate) fn internal() -> Problem {
        let detail = "an error inside the server; its log has the details under this request id";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// Marks the refusal as one that may pass.
    pub(crate) fn retryable(self) -> Problem {
        Problem { retryable: true, ..self }
    }

    /// Adds what a conversation's refusal tells.
    pub(crate) fn refusing(self, refusal: RefusalBody) -> Problem {
        Problem { refusal: Some(Box::new(refusal)), ..self }
    }

    /// Adds when the client should come back.
    pub(crate) fn after(self, delay: Duration) -> Problem {
        Problem { retry_after: Some(delay), ..self }
    }

    /// Whether the same request may work later without anybody changing anything.
    pub(crate) fn may_pass(&self) -> bool {
        self.retryable
    }

    /// The problem as bytes for a later replay.
    pub(crate) fn to_kept(&self) -> Vec<u8> {
        let kept = Kept {
            code: self.code.as_ref().into(),
            detail: self.detail.as_str().into(),
            retryable: self.retryable,
            refusal: self.refusal.clone(),
        };
        serde_json::to_vec(&kept).expect("invariant: strings, numbers and a bool are JSON")
    }

    /// Reads what [`Problem::to_kept`] wrote.
    pub(crate) fn from_kept(status: StatusCode, kept: &[u8]) -> serde_json::Result<Problem> {
        let kept: Kept<'_> = serde_json::from_slice(kept)?;
        Ok(Problem {
            status,
            code: Cow::Owned(kept.code.into_owned()),
            detail: kept.detail.into_owned(),
            retryable: kept.retryable,
            retry_after: None,
            refusal: kept.refusal,
        })
    }

    /// Writes the problem that `response` carries, if it does, as its body. Other headers stay, such as `Allow`.
    pub(crate) fn render(mut response: Response, request_id: &str) -> Response {
        let Some(problem) = response.extensions_mut().remove::<Problem>() else {
            return response;
        };
        let body = Body {
            r#type: "about:blank",
            title: problem.status.canonical_reason().unwrap_or("Error"),
            status: problem.status.as_u16(),
            code: &problem.code,
            detail: &problem.detail,
            retryable: problem.retryable,
            request_id,
            refusal: problem.refusal.as_deref(),
        };
        let (mut head, _) = response.into_parts();
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if problem.status == StatusCode::UNAUTHORIZED {
            head.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(delay) = problem.retry_after {
            head.headers.insert(RETRY_AFTER, whole_seconds(delay).into());
        }
        Response::from_parts(head, Json(body).into_response().into_body())
    }
}

/// `Retry-After` knows whole seconds only; at least one, or clients would come back at once.
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_millis().div_ceil(1_000).clamp(1, u128::from(u32::MAX)) as u64
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Problem {
        let (code, detail) = (error.code(), error.to_string());
        let problem = match error.class() {
            // Who is no member of a match is refused as whoever is no participant of a conversation.
            ErrorClass::Conflict if code == "not_in_match" => {
                Problem::new(StatusCode::FORBIDDEN, code, detail)
            }
            ErrorClass::NotFound => Problem::new(StatusCode::NOT_FOUND, code, detail),
            ErrorClass::Conflict => Problem::new(StatusCode::CONFLICT, code, detail),
            // A cursor stands in the query, and what is wrong in a query is a bad request.
            ErrorClass::Invalid if code == "invalid_cursor" => {
                Problem::new(StatusCode::BAD_REQUEST, code, detail)
            }
            ErrorClass::Invalid => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail),
            ErrorClass::Unavailable { retry_after } => Problem::unavailable(code, detail, retry_after),
            ErrorClass::Internal => {
                tracing::error!(code, error = &error as &dyn std::error::Error, "a service failed");
                return Problem::internal();
            }
        };
        if error.retryable() { problem.retryable() } else { problem }
    }
}
