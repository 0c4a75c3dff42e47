//! JSON bodies.

use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

/// A JSON body that has to be there.
pub(crate) struct Json<T>(pub(crate) T);

/// A JSON body whose every field may be left out, and so the whole body too.
pub(crate) struct OptionalJson<T>(pub(crate) T);

/// A JSON body as it came, to be read by the translation that the socket has too. Empty if there is none.
pub(crate) struct JsonText(pub(crate) String);

/// For calls that take nothing: no body, or `{}`.
pub(crate) struct NoBody;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Ok(Json(parse(&read(request, state).await?)?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = read(request, state).await?;
        Ok(OptionalJson(if body.is_empty() { T::default() } else { parse(&body)? }))
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Vec::from(read(request, state).await?);
        let text =
            String::from_utf8(body).map_err(|_| BadJson::Malformed("the body is not UTF-8".to_owned()))?;
        Ok(JsonText(text))
    }
}

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        OptionalJson::<Nothing>::from_request(request, state).await.map(|_| NoBody)
    }
}

/// The media type without its parameters, in lower case; empty if there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The body, which is in memory by now: the mutation layer has read and measured it.
async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let media_type = media_type(request.headers());
    let body = Bytes::from_request(request, state).await.map_err(|rejection| {
        Problem::new(StatusCode::BAD_REQUEST, "incomplete_body", rejection.body_text())
    })?;
    if body.is_empty() || media_type == "application/json" {
        return Ok(body);
    }
    let detail = format!("send the body as `Content-Type: application/json`, not `{media_type}`");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

/// Why a text is not what was asked for. The words end in line and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadJson {
    /// No JSON at all.
    Malformed(String),
    /// JSON that says the wrong thing, with the field at fault.
    Invalid(String),
}

impl From<BadJson> for Problem {
    fn from(bad: BadJson) -> Problem {
        match bad {
            BadJson::Malformed(why) => Problem::new(StatusCode::BAD_REQUEST, "malformed_json", why),
            BadJson::Invalid(why) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", why),
        }
    }
}

/// Reads JSON, and nothing after it.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, BadJson> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        BadJson::of(body, Some(path), &error.into_inner())
    })?;
    json.end().map_err(|error| BadJson::of(body, None, &error))?;
    Ok(value)
}

impl BadJson {
    /// Tells a text that is no JSON from JSON that says the wrong thing. The parser's own verdict is not enough: it
    /// takes `true` in the place of a word for bad syntax.
    fn of(body: &[u8], path: Option<String>, error: &serde_json::Error) -> BadJson {
        let is_json =
            error.classify() == Category::Data || serde_json::from_slice::<IgnoredAny>(body).is_ok();
        match path {
            _ if !is_json => BadJson::Malformed(error.to_string()),
            Some(path) if path != "." => BadJson::Invalid(format!("{path}: {error}")),
            _ => BadJson::Invalid(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::response::IntoResponse;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        name: String,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        seats: u32,
    }

    async fn read_as(media_type: &str, body: &'static str) -> Result<Wanted, Problem> {
        let request = Request::builder().header(CONTENT_TYPE, media_type).body(Body::from(body)).unwrap();
        Json::from_request(request, &()).await.map(|Json(wanted)| wanted)
    }

    async fn refused(media_type: &str, body: &'static str) -> (u16, String) {
        let problem = read_as(media_type, body).await.unwrap_err();
        let response = Problem::render(problem.into_response(), "r1");
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        (status, format!("{} {}", body["code"].as_str().unwrap(), body["detail"].as_str().unwrap()))
    }

    #[tokio::test]
    async fn json_of_the_right_shape_is_read() {
        let wanted =
            read_as("Application/JSON; charset=utf-8", r#"{"name": "a", "inner": {"seats": 3}}"#).await;
        assert_eq!(wanted, Ok(Wanted { name: "a".to_owned(), inner: Some(Inner { seats: 3 }) }));
    }

    #[tokio::test]
    async fn every_wrong_body_says_what_is_wrong() {
        for (media_type, body, status, parts) in [
            ("text/plain", "{}", 415, ["unsupported_media_type", "application/json"]),
            ("application/json", "", 400, ["malformed_json", "line 1 column 0"]),
            ("application/json", "{\n\"name\" \"a\"}", 400, ["malformed_json", "line 2 column 8"]),
            ("application/json", r#"{"name": "a""#, 400, ["malformed_json", "line 1 column 12"]),
            ("application/json", r#"{"name": "a"} x"#, 400, ["malformed_json", "trailing"]),
            ("application/json", "{}", 422, ["invalid_body", "`name`"]),
            ("application/json", r#"{"name": 1}"#, 422, ["invalid_body name:", "expected a string"]),
            ("application/json", r#"{"name": "a", "x": 1}"#, 422, ["invalid_body", "unknown field `x`"]),
            (
                "application/json",
                r#"{"name": "a", "inner": {"seats": -1}}"#,
                422,
                ["invalid_body inner.seats:", "u32"],
            ),
        ] {
            let (got, text) = refused(media_type, body).await;
            assert_eq!(got, status, "{body}: {text}");
            assert!(parts.iter().all(|part| text.contains(part)), "{body}: {text}");
        }
    }

    #[tokio::test]
    async fn nesting_without_end_is_malformed_not_a_crash() {
        let deep: &'static str = Box::leak("[".repeat(100_000).into_boxed_str());
        assert_eq!(refused("application/json", deep).await.0, 422);
        let deep: &'static str = Box::leak(format!("{{\"name\": {}", "[".repeat(100_000)).into_boxed_str());
        assert!(matches!(refused("application/json", deep).await.0, 400 | 422));
    }
}
