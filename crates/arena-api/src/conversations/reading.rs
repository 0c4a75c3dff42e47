//! What is read of a conversation.

use super::door::Speaking;
use super::wire::{CapacityBody, ContextBody, LogBody, Speaker, WireError};
use crate::extract::{Id, Limit, Query};
use crate::problem::Problem;
use arena_control::Services;
use arena_core::conversation::{ConversationId, ParticipantId, Refusal};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// Refuses users who are not in the roster. Where there is none, whoever knows the conversation may read.
pub(super) fn may_read(speaker: &Speaker, roster: &[ParticipantId]) -> Result<(), Problem> {
    if speaker.service || roster.is_empty() {
        return Ok(());
    }
    match &speaker.user {
        Some(user) if roster.contains(user) => Ok(()),
        Some(user) => Err(Refusal::not_a_participant(user).into()),
        None => Err(WireError::NotYourName { name: None }.into()),
    }
}

/// The same, of a conversation that is not at hand. Services are not held up.
pub(super) async fn may_read_of(
    services: &Services,
    speaker: &Speaker,
    id: &ConversationId,
) -> Result<(), Problem> {
    if speaker.service {
        return Ok(());
    }
    may_read(speaker, &services.conversations.get(id).await?.setup.participants)
}

/// What is wrong with a name that stands in the query.
pub(super) fn in_query(error: WireError) -> Problem {
    match error {
        WireError::Invalid(why) => Problem::new(StatusCode::BAD_REQUEST, "invalid_query", why),
        error => error.into(),
    }
}

/// A log that holds no JSON.
pub(super) fn unreadable(error: serde_json::Error) -> Problem {
    tracing::error!(error = &error as &dyn std::error::Error, "a log cannot be read");
    Problem::internal()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessagesQuery {
    after: Option<u64>,
    limit: Option<Limit>,
}

pub(super) async fn messages(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(id): Id<ConversationId>,
    Query(MessagesQuery { after, limit }): Query<MessagesQuery>,
) -> Result<Response, Problem> {
    may_read_of(&services, &speaker, &id).await?;
    let limit = limit.unwrap_or_default().get();
    let page = services.conversations.messages(&id, after.unwrap_or_default(), limit).await?;
    Ok(Json(LogBody::new(&page).map_err(unreadable)?).into_response())
}

pub(super) async fn capacity(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(id): Id<ConversationId>,
) -> Result<Json<CapacityBody>, Problem> {
    may_read_of(&services, &speaker, &id).await?;
    let capacity = services.conversations.capacity(&id).await?;
    Ok(Json(CapacityBody::new(id, capacity)))
}

/// How many messages a context holds.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Last(u32);

impl Last {
    const MAX: u32 = 100;

    /// As a number.
    pub(crate) fn get(self) -> u32 {
        self.0
    }
}

impl Default for Last {
    fn default() -> Self {
        Last(20)
    }
}

impl TryFrom<u32> for Last {
    type Error = String;

    fn try_from(last: u32) -> Result<Self, String> {
        if last <= Last::MAX { Ok(Last(last)) } else { Err(format!("last: 0 to {}, not {last}", Last::MAX)) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextQuery {
    participant: Option<ParticipantId>,
    last: Option<Last>,
}

pub(super) async fn context(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(id): Id<ConversationId>,
    Query(ContextQuery { participant, last }): Query<ContextQuery>,
) -> Result<Response, Problem> {
    let participant = speaker.name(participant, "participant").map_err(in_query)?;
    may_read_of(&services, &speaker, &id).await?;
    let last = last.unwrap_or_default().get();
    let context = services.conversations.context(&id, &participant, last).await?;
    Ok(Json(ContextBody::new(&context).map_err(unreadable)?).into_response())
}
