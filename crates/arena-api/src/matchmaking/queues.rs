//! Queues and their rules.

use super::now;
use super::wire::{QueueBody, RulesBody};
use crate::conversations::Speaking;
use crate::conversations::wire::object;
use crate::extract::{Acting, Id, JsonText, NoBody};
use crate::problem::Problem;
use crate::wire::PageBody;
use arena_control::Services;
use arena_core::matching::QueueName;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// There are few of them: one page holds all.
pub(super) async fn list(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
) -> Result<Json<PageBody<QueueBody>>, Problem> {
    let (queues, now) = (services.matchmaking.queues().await?, now());
    let shown = queues.into_iter().map(|view| QueueBody::new(view, speaker.service, now)).collect();
    Ok(Json(PageBody::whole(shown)))
}

pub(super) async fn show(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(name): Id<QueueName>,
) -> Result<Json<QueueBody>, Problem> {
    let view = services.matchmaking.queue(&name).await?;
    Ok(Json(QueueBody::new(view, speaker.service, now())))
}

pub(super) async fn put(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    Id(name): Id<QueueName>,
    JsonText(body): JsonText,
) -> Result<Json<QueueBody>, Problem> {
    speaker.must_be_service()?;
    let rules = object::<RulesBody>(&body)?.into();
    services.matchmaking.put_queue(&actor, &name, rules).await?;
    let view = services.matchmaking.queue(&name).await?;
    Ok(Json(QueueBody::new(view, true, now())))
}

pub(super) async fn remove(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    Id(name): Id<QueueName>,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    speaker.must_be_service()?;
    services.matchmaking.delete_queue(&actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
