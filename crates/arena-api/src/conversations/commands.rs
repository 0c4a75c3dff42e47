//! What changes a conversation.

use super::door::Speaking;
use super::reading::in_query;
use super::wire::{ConversationBody, ReceiptBody, Speaker, command, object};
use crate::extract::{Acting, Id, Ids, JsonText, NoBody, Query};
use crate::problem::Problem;
use arena_control::{Actor, Receipt, Services, SubmitError};
use arena_core::conversation::{Command, ConversationId, ParticipantId, ReservationId};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

type Reply = Result<Response, Problem>;

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Problem {
        match error {
            SubmitError::Refused(refusal) => Problem::from(*refusal),
            SubmitError::Failed(error) => Problem::from(error),
        }
    }
}

/// What a request is for.
struct Asking {
    services: Services,
    actor: Actor,
    id: ConversationId,
    speaker: Speaker,
}

impl Asking {
    /// Carries out what stands in a body; a call without one is as one with `{}`.
    async fn event(&self, event: &str, body: &str) -> Result<Receipt, Problem> {
        self.speaker.may_speak_in(&self.id)?;
        let body = if body.is_empty() { "{}" } else { body };
        self.submit(command(event, body, &self.speaker)?).await
    }

    async fn submit(&self, command: Command) -> Result<Receipt, Problem> {
        self.speaker.may_speak_in(&self.id)?;
        Ok(self.services.conversations.submit(&self.actor, &self.id, command).await?)
    }
}

fn answer(status: StatusCode, receipt: &Receipt) -> Response {
    (status, Json(ReceiptBody::from(receipt))).into_response()
}

/// The answer to what makes something new, unless it was made before or is dropped without a word.
fn made(receipt: &Receipt) -> Response {
    let status = match receipt {
        Receipt { dropped: Some(_), .. } => StatusCode::ACCEPTED,
        Receipt { repeated: true, .. } => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    answer(status, receipt)
}

/// Handlers that only name an event.
macro_rules! events {
    ($($name:ident, $event:literal, $answer:expr;)*) => {$(
        pub(super) async fn $name(
            State(services): State<Services>,
            Acting(actor): Acting,
            Speaking(speaker): Speaking,
            Id(id): Id<ConversationId>,
            JsonText(body): JsonText,
        ) -> Reply {
            let receipt = Asking { services, actor, id, speaker }.event($event, &body).await?;
            Ok($answer(&receipt))
        }
    )*};
}

fn done(receipt: &Receipt) -> Response {
    answer(StatusCode::OK, receipt)
}

events! {
    say, "message", made;
    system, "system", made;
    reserve, "reserve", made;
    top_up, "top_up", done;
    close, "close", done;
    reopen, "reopen", done;
    turn, "turn", done;
}

pub(super) async fn configure(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    Id(id): Id<ConversationId>,
    JsonText(body): JsonText,
) -> Result<Json<ConversationBody>, Problem> {
    let asking = Asking { services, actor, id, speaker };
    asking.event("configure", &body).await?;
    Ok(Json(asking.services.conversations.get(&asking.id).await?.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseQuery {
    participant: Option<ParticipantId>,
}

pub(super) async fn release(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    Ids(id, reservation): Ids<ConversationId, ReservationId>,
    Query(ReleaseQuery { participant }): Query<ReleaseQuery>,
    _: NoBody,
) -> Reply {
    let participant = speaker.name(participant, "participant").map_err(in_query)?;
    let asking = Asking { services, actor, id, speaker };
    Ok(done(&asking.submit(Command::Release { participant, id: reservation }).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneParticipant {
    participant: ParticipantId,
}

pub(super) async fn add_participant(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    Id(id): Id<ConversationId>,
    JsonText(body): JsonText,
) -> Reply {
    speaker.must_be_service()?;
    let OneParticipant { participant } = object(&body)?;
    let asking = Asking { services, actor, id, speaker };
    Ok(done(&asking.submit(Command::AddParticipant(participant)).await?))
}

pub(super) async fn remove_participant(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    Ids(id, participant): Ids<ConversationId, ParticipantId>,
    _: NoBody,
) -> Reply {
    speaker.must_be_service()?;
    let asking = Asking { services, actor, id, speaker };
    Ok(done(&asking.submit(Command::RemoveParticipant(participant)).await?))
}
