//! Tournaments.

use super::Done;
use super::matches::must_be_in;
use super::wire::{ResultBody, TournamentBody};
use crate::conversations::Speaking;
use crate::conversations::wire::object;
use crate::extract::{Id, Ids, JsonText, Limit, Query, page_request};
use crate::problem::Problem;
use crate::wire::PageBody;
use arena_control::{MatchBody, MatchFilter, Services};
use arena_core::matching::{MatchId, MatchState, QueueName};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

pub(super) use super::matches::leave;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    queue: Option<QueueName>,
    state: Option<MatchState>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

pub(super) async fn list(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Query(ListQuery { queue, state, limit, cursor }): Query<ListQuery>,
) -> Result<Json<PageBody<MatchBody>>, Problem> {
    speaker.must_be_service()?;
    let filter = MatchFilter { queue, state, tournaments: true };
    let page = services.matchmaking.matches(filter, page_request(limit, cursor)).await?;
    Ok(Json(PageBody::of(page, |row| MatchBody::for_operators(&row))))
}

pub(super) async fn show(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(id): Id<MatchId>,
) -> Result<Json<TournamentBody>, Problem> {
    let found = services.matchmaking.tournament(id).await?;
    must_be_in(&speaker, &found.0)?;
    Ok(Json(TournamentBody::new(found, speaker.service)))
}

/// By a player of the game; or by a service, which needs to name nobody.
pub(super) async fn result(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Ids(id, game): Ids<MatchId, u32>,
    JsonText(body): JsonText,
) -> Result<Json<Done>, Problem> {
    let ResultBody { user, winner, score } = object(&body)?;
    let by = if speaker.service { user } else { Some(speaker.name(user, "user")?) };
    let told = services.matchmaking.report_game(id, game, by.as_ref(), winner, score).await?;
    Ok(Json(Done::Tournament(Box::new(TournamentBody::new(told, speaker.service)))))
}
