//! What is read of a conversation.

use super::door::{Door, Speaking};
use super::log::LogReads;
use super::residents::channel_of;
use super::wire::{CapacityBody, ContextBody, LogBody, Speaker, WireError};
use crate::extract::{Id, Limit, Query};
use crate::joining::Watched;
use crate::problem::Problem;
use arena_control::{Conversations, ServiceError, Services, Summary};
use arena_core::conversation::{ConversationId, ParticipantId, Refusal};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// Somebody who wants to read.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) speaker: Speaker,
    watched: Watched,
    pub(super) reads: LogReads,
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Speaking(speaker) = Speaking::from_request_parts(parts, state).await?;
        let Door { watched, reads, .. } = Door::of(parts).clone();
        Ok(Reader { speaker, watched, reads })
    }
}

impl Reader {
    /// Refuses users who are not in the roster. Where there is none, whoever knows the conversation may read; and what
    /// residents say, whoever knows it may read if everybody may watch their world.
    pub(super) fn may_read(&self, found: &Summary) -> Result<(), Problem> {
        let (speaker, roster) = (&self.speaker, &found.setup.participants);
        if speaker.service {
            return Ok(());
        }
        if let Some(channel) = channel_of(&found.id, &found.setup) {
            return if (self.watched)(&channel) { Ok(()) } else { Err(WireError::ServiceOnly.into()) };
        }
        match &speaker.user {
            _ if roster.is_empty() => Ok(()),
            Some(user) if roster.contains(user) => Ok(()),
            Some(user) => Err(Refusal::not_a_participant(user).into()),
            None => Err(WireError::NotYourName { name: None }.into()),
        }
    }

    /// Whether it may read, of a conversation that it was reading.
    pub(super) async fn still_may_read(
        &self,
        conversations: &Conversations,
        id: &ConversationId,
    ) -> Result<bool, ServiceError> {
        Ok(self.speaker.service || self.may_read(&conversations.get(id).await?).is_ok())
    }

    /// The same, of a conversation that is not at hand. Services are not held up.
    pub(super) async fn may_read_of(&self, services: &Services, id: &ConversationId) -> Result<(), Problem> {
        if self.speaker.service {
            return Ok(());
        }
        self.may_read(&services.conversations.get(id).await?)
    }
}

/// What is wrong with a name that stands in the query.
pub(crate) fn in_query(error: WireError) -> Problem {
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
    reader: Reader,
    Id(id): Id<ConversationId>,
    Query(MessagesQuery { after, limit }): Query<MessagesQuery>,
) -> Result<Response, Problem> {
    reader.may_read_of(&services, &id).await?;
    let limit = limit.unwrap_or_default().get();
    let page = reader.reads.page(&services.conversations, &id, after.unwrap_or_default(), limit).await?;
    Ok(Json(LogBody::new(&page).map_err(unreadable)?).into_response())
}

pub(super) async fn capacity(
    State(services): State<Services>,
    reader: Reader,
    Id(id): Id<ConversationId>,
) -> Result<Json<CapacityBody>, Problem> {
    reader.may_read_of(&services, &id).await?;
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
    reader: Reader,
    Id(id): Id<ConversationId>,
    Query(ContextQuery { participant, last }): Query<ContextQuery>,
) -> Result<Response, Problem> {
    let participant = reader.speaker.name(participant, "participant").map_err(in_query)?;
    reader.may_read_of(&services, &id).await?;
    let last = last.unwrap_or_default().get();
    let context = reader.reads.context(&services.conversations, &id, &participant, last).await?;
    Ok(Json(ContextBody::new(&context).map_err(unreadable)?).into_response())
}
