//! Tournaments.

use super::Done;
use super::matches::{ListQuery, listed, must_be_in};
use super::wire::{ResultBody, TournamentBody};
use crate::conversations::Speaking;
use crate::conversations::wire::object;
use crate::extract::{Id, Ids, JsonText, Query};
use crate::problem::Problem;
use crate::wire::PageBody;
use arena_control::{MatchBody, Services};
use arena_core::matching::MatchId;
use axum::Json;
use axum::extract::State;

pub(super) use super::matches::leave;

pub(super) async fn list(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Query(query): Query<ListQuery>,
) -> Result<Json<PageBody<MatchBody>>, Problem> {
    listed(&services, &speaker, query, true).await
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
