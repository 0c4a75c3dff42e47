//! Broadcasts by HTTP, as the clients of Supabase Realtime send them when they have no socket.

use super::caller::{Calling, query_value};
use arena_core::topic::TopicName;
use arena_realtime::codec::TOPIC_PREFIX;
use arena_realtime::policy::Identity;
use arena_realtime::{Gateway, Payload, Publication, PublishRefusal};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A batch.
#[derive(Deserialize)]
struct Batch {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    topic: String,
    event: String,
    payload: Box<RawValue>,
    #[serde(default)]
    private: Option<bool>,
    /// A second message under the same id is not published again.
    #[serde(default)]
    id: Option<String>,
}

/// Why nothing, or not everything, was published.
pub(super) enum Refusal {
    Token(String),
    MediaType,
    Invalid(String),
    Publish { refusal: PublishRefusal, published: usize },
}

/// `POST …/api/broadcast`: messages to any topics.
pub(super) async fn batch(
    State(gateway): State<Gateway>,
    Sender(who): Sender,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    if !crate::extract::media_type(&headers).ends_with("json") {
        return Err(Refusal::MediaType);
    }
    let Batch { messages } =
        serde_json::from_slice(&body).map_err(|error| Refusal::Invalid(format!("the body: {error}")))?;
    let most = gateway.limits().batch_messages;
    if messages.is_empty() || messages.len() > most {
        return Err(Refusal::Invalid(format!("messages: 1 to {most} of them, not {}", messages.len())));
    }
    // All are checked for their form before one is published.
    let topics = messages.iter().enumerate().map(|(index, message)| {
        topic(&message.topic).map_err(|error| Refusal::Invalid(format!("messages[{index}].topic: {error}")))
    });
    let topics = topics.collect::<Result<Vec<_>, _>>()?;
    for (published, (message, topic)) in messages.iter().zip(&topics).enumerate() {
        let publication = Publication {
            topic,
            private: message.private.unwrap_or(false),
            event: &message.event,
            payload: Payload::Json(Bytes::copy_from_slice(message.payload.get().as_bytes())),
            id: message.id.as_deref(),
        };
        let outcome = gateway.publish(&who, publication);
        outcome.map_err(|refusal| Refusal::Publish { refusal, published })?;
    }
    Ok(StatusCode::ACCEPTED)
}

/// `POST …/api/broadcast/{topic}/events/{event}`: one message, JSON or bytes.
pub(super) async fn single(
    State(gateway): State<Gateway>,
    Sender(who): Sender,
    Path((topic_text, event)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let topic = topic(&topic_text).map_err(|error| Refusal::Invalid(format!("topic: {error}")))?;
    let payload = match crate::extract::media_type(&headers).as_str() {
        "application/octet-stream" => Payload::Binary(body),
        kind if kind.ends_with("json") => {
            let json: &RawValue = serde_json::from_slice(&body)
                .map_err(|error| Refusal::Invalid(format!("the payload: {error}")))?;
            Payload::Json(Bytes::copy_from_slice(json.get().as_bytes()))
        }
        _ => return Err(Refusal::MediaType),
    };
    let private = query_value(&uri, "private").is_some_and(|value| value == "true");
    let id = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let publication = Publication { topic: &topic, private, event: &event, payload, id };
    let outcome = gateway.publish(&who, publication);
    outcome.map_err(|refusal| Refusal::Publish { refusal, published: 0 })?;
    Ok(StatusCode::ACCEPTED)
}

/// Who broadcasts. It is told from the head alone and stands before the body among the arguments, so that nobody's body
/// is read before it is known whose it is.
pub(super) struct Sender(Identity);

impl FromRequestParts<Gateway> for Sender {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Sender, Refusal> {
        let calling = Calling::of(parts);
        let (who, _) = calling.identify(gateway).map_err(|error| Refusal::Token(error.to_string()))?;
        // Nobody in particular is somebody else in every request; what they send is counted by where they are.
        Ok(Sender(if who.anonymous { Identity { user: calling.address().into(), ..who } } else { who }))
    }
}

/// Without the prefix that topics have on the socket; some senders leave it on.
fn topic(text: &str) -> Result<TopicName, arena_core::ParseIdError> {
    text.strip_prefix(TOPIC_PREFIX).unwrap_or(text).parse()
}

impl IntoResponse for Refusal {
    /// In the shapes that clients read: `message`, or `errors` where the body is at fault.
    fn into_response(self) -> Response {
        let message = |text: String| Json(serde_json::json!({ "message": text }));
        match self {
            Refusal::Token(text) => (StatusCode::UNAUTHORIZED, message(text)).into_response(),
            Refusal::MediaType => {
                let text = "send application/json, or a single message as application/octet-stream";
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, message(text.to_owned())).into_response()
            }
            Refusal::Invalid(text) => {
                let body = serde_json::json!({ "message": text, "errors": [text] });
                (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
            }
            Refusal::Publish { refusal, published } => {
                let body = serde_json::json!({ "message": refusal.to_string(), "published": published });
                let status = status_of(&refusal);
                let mut response = (status, Json(body)).into_response();
                if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
                    response.headers_mut().insert(RETRY_AFTER, retry_after(&refusal).into());
                }
                response
            }
        }
    }
}

fn status_of(refusal: &PublishRefusal) -> StatusCode {
    match refusal {
        PublishRefusal::Denied(_) => StatusCode::FORBIDDEN,
        PublishRefusal::Limit(limit) => {
            StatusCode::from_u16(limit.status()).unwrap_or(StatusCode::TOO_MANY_REQUESTS)
        }
        PublishRefusal::Overloaded(_) => StatusCode::TOO_MANY_REQUESTS,
        PublishRefusal::Topics(_) => StatusCode::SERVICE_UNAVAILABLE,
        PublishRefusal::Event | PublishRefusal::Id => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// In whole seconds, one at least.
fn retry_after(refusal: &PublishRefusal) -> u64 {
    let wait = match refusal {
        PublishRefusal::Limit(limit) => limit.retry_after(),
        _ => None,
    };
    wait.map_or(1, |wait| wait.as_secs() + 1)
}
