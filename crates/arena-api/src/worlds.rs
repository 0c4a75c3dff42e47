//! `/api/worlds`.

use crate::extract::{Acting, Id, Limit, NoBody, Query, page_request};
use crate::problem::Problem;
use crate::wire::{PageBody, ValidityBody, WorldBody, WorldWithResidents};
use arena_control::Services;
use arena_core::WorldId;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

type Reply<T> = Result<Json<T>, Problem>;

pub(crate) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/worlds", get(list))
        .route("/api/worlds/wipe", post(wipe_all))
        .route("/api/worlds/{id}", get(show))
        .route("/api/worlds/{id}/validate", post(validate))
        .route("/api/worlds/{id}/wipe", post(wipe))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    limit: Option<Limit>,
    cursor: Option<String>,
}

async fn list(
    State(services): State<Services>,
    Query(ListQuery { limit, cursor }): Query<ListQuery>,
) -> Reply<PageBody<WorldBody>> {
    Ok(Json(services.worlds.list(page_request(limit, cursor)).await?.into()))
}

async fn show(State(services): State<Services>, Id(world): Id<WorldId>) -> Reply<WorldWithResidents> {
    Ok(Json(services.worlds.get(&world).await?.into()))
}

async fn validate(
    State(services): State<Services>,
    Id(world): Id<WorldId>,
    _: NoBody,
) -> Reply<ValidityBody> {
    Ok(Json(services.worlds.validate(&world).await.into()))
}

#[derive(Serialize)]
struct Wiped {
    wiped: u32,
}

async fn wipe(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(world): Id<WorldId>,
    _: NoBody,
) -> Reply<Wiped> {
    Ok(Json(Wiped { wiped: services.worlds.wipe(&actor, Some(&world)).await? }))
}

async fn wipe_all(State(services): State<Services>, Acting(actor): Acting, _: NoBody) -> Reply<Wiped> {
    Ok(Json(Wiped { wiped: services.worlds.wipe(&actor, None).await? }))
}
