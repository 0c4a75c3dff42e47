//! `/api/conversations` and `/api/budgets`, and the words that REST and the socket share.

mod budgets;
mod commands;
mod door;
mod followers;
mod log;
mod reading;
mod refused;
mod residents;
mod stream;
pub(crate) mod wire;

pub(crate) use door::{Door, Speaking};
pub(crate) use followers::{Followers, Following};
pub use log::LogReads;
pub(crate) use reading::{Last, in_query};
pub(crate) use residents::channel_of;

use crate::extract::{Acting, Id, JsonText, Limit, NoBody, Query, page_request};
use crate::problem::Problem;
use crate::wire::PageBody;
use arena_control::{ConversationFilter, ConversationStats, Services};
use arena_core::conversation::{ConversationId, ParticipantId};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use reading::Reader;
use serde::Deserialize;
use wire::{ConversationBody, Creation};

pub(crate) fn routes(door: Door) -> Router<Services> {
    Router::new()
        .route("/api/conversations", get(list).post(create))
        .route("/api/conversations/stats", get(stats))
        .route("/api/conversations/{id}", get(show).put(commands::configure).delete(remove))
        .route("/api/conversations/{id}/messages", get(reading::messages).post(commands::say))
        .route("/api/conversations/{id}/messages/stream", get(stream::follow))
        .route("/api/conversations/{id}/capacity", get(reading::capacity))
        .route("/api/conversations/{id}/context", get(reading::context))
        .route("/api/conversations/{id}/reservations", post(commands::reserve))
        .route("/api/conversations/{id}/reservations/{reservation}", delete(commands::release))
        .route("/api/conversations/{id}/top-up", post(commands::top_up))
        .route("/api/conversations/{id}/close", post(commands::close))
        .route("/api/conversations/{id}/reopen", post(commands::reopen))
        .route("/api/conversations/{id}/turn", post(commands::turn))
        .route("/api/conversations/{id}/system", post(commands::system))
        .route("/api/conversations/{id}/participants", post(commands::add_participant))
        .route("/api/conversations/{id}/participants/{participant}", delete(commands::remove_participant))
        .merge(budgets::routes())
        .layer(Extension(door))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    owner: Option<ParticipantId>,
    root: Option<ConversationId>,
    exhausted: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

/// For services: who knows the id of a conversation without a roster may speak in it.
async fn list(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Query(ListQuery { owner, root, exhausted, limit, cursor }): Query<ListQuery>,
) -> Result<Json<PageBody<ConversationBody>>, Problem> {
    speaker.must_be_service()?;
    let filter = ConversationFilter { owner: owner.map(String::from), root, exhausted };
    Ok(Json(services.conversations.list(filter, page_request(limit, cursor)).await?.into()))
}

async fn create(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    JsonText(body): JsonText,
) -> Result<(StatusCode, Json<ConversationBody>), Problem> {
    speaker.must_be_service()?;
    let Creation { id, setup, tree } = Creation::read(if body.is_empty() { "{}" } else { &body })?;
    let made = services.conversations.create(&actor, id, setup, tree).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

async fn show(
    State(services): State<Services>,
    reader: Reader,
    Id(id): Id<ConversationId>,
) -> Result<Json<ConversationBody>, Problem> {
    let found = services.conversations.get(&id).await?;
    reader.may_read(&found)?;
    Ok(Json(found.into()))
}

async fn remove(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    Id(id): Id<ConversationId>,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    speaker.must_be_service()?;
    services.conversations.delete(&actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn stats(State(services): State<Services>) -> Json<ConversationStats> {
    Json(services.conversations.stats())
}
