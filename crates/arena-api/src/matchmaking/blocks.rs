//! Whom users never want to meet again.

use super::Act;
use crate::conversations::wire::{Speaker, object};
use crate::conversations::{Speaking, in_query};
use crate::extract::{JsonText, Limit, Query, page_request};
use crate::problem::Problem;
use crate::wire::PageBody;
use arena_control::Services;
use arena_core::conversation::ParticipantId;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    user: Option<ParticipantId>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

#[derive(Serialize)]
pub(super) struct BlockedBody {
    user: ParticipantId,
    blocked: ParticipantId,
}

pub(super) async fn list(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Query(ListQuery { user, limit, cursor }): Query<ListQuery>,
) -> Result<Json<PageBody<BlockedBody>>, Problem> {
    let user = speaker.name(user, "user").map_err(in_query)?;
    let page = services.matchmaking.blocks(&user, page_request(limit, cursor)).await?;
    Ok(Json(PageBody::of(page, |blocked| BlockedBody { user: user.clone(), blocked })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockBody {
    user: Option<ParticipantId>,
    blocked: ParticipantId,
}

pub(super) async fn block(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    JsonText(body): JsonText,
) -> Result<StatusCode, Problem> {
    carry_out(&services, &speaker, &body, Act::Block).await
}

pub(super) async fn unblock(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    JsonText(body): JsonText,
) -> Result<StatusCode, Problem> {
    carry_out(&services, &speaker, &body, Act::Unblock).await
}

async fn carry_out(
    services: &Services,
    speaker: &Speaker,
    body: &str,
    act: fn(ParticipantId) -> Act,
) -> Result<StatusCode, Problem> {
    let BlockBody { user, blocked } = object(body)?;
    let user = speaker.name(user, "user")?;
    act(blocked).carry_out(&services.matchmaking, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}
