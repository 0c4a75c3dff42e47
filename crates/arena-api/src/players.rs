//! `/api/players`, and how a player joins a channel.

use crate::extract::{Acting, Id, Json as Body, Limit, NoBody, OptionalJson, Query, page_request};
use crate::joining::Joining;
use crate::problem::Problem;
use crate::wire::{JoinBody, PageBody, PlayerBody};
use arena_control::{Actor, PlayerFilter, ReserveRequest, Services};
use arena_core::PlayerId;
use arena_core::admission::Want;
use arena_core::channel::{ChannelKind, ChannelName, Region};
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;

pub(crate) fn routes(joining: Joining) -> Router<Services> {
    Router::new()
        .route("/api/channels/{id}/join", post(join))
        .route("/api/players/join", post(join_any))
        .layer(Extension(joining))
        .route("/api/players", get(list))
        .route("/api/players/{id}", delete(vacate))
}

/// A join token is for one player's eyes: neither caches nor the store of replies keep it.
type Joined = Result<(StatusCode, [(HeaderName, &'static str); 1], Json<JoinBody>), Problem>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Join {
    name: Option<String>,
}

async fn join(
    State(services): State<Services>,
    Extension(joining): Extension<Joining>,
    Acting(actor): Acting,
    Id(channel): Id<ChannelName>,
    head: Parts,
    OptionalJson(Join { name }): OptionalJson<Join>,
) -> Joined {
    reserve(&services, &joining, &actor, &head, Want::ByName(channel), name).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinAny {
    kind: ChannelKind,
    region: Option<Region>,
    name: Option<String>,
}

async fn join_any(
    State(services): State<Services>,
    Extension(joining): Extension<Joining>,
    Acting(actor): Acting,
    head: Parts,
    Body(JoinAny { kind, region, name }): Body<JoinAny>,
) -> Joined {
    reserve(&services, &joining, &actor, &head, Want::Find { kind, region }, name).await
}

async fn reserve(
    services: &Services,
    joining: &Joining,
    actor: &Actor,
    head: &Parts,
    want: Want,
    name: Option<String>,
) -> Joined {
    let joiner = (joining.identify)(head)?;
    let request = ReserveRequest { want, user: joiner.user, name: name.unwrap_or_else(some_name) };
    let seat = services.players.reserve(actor, request).await?;
    let join_token = (joiner.issue)(&seat);
    let body = JoinBody::new(seat, join_token, &joining.endpoint);
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(body)))
}

/// What somebody is called who gave no name. Not unique; no name has to be.
fn some_name() -> String {
    let [.., high, low] = uuid::Uuid::now_v7().into_bytes();
    format!("Guest {high:02x}{low:02x}")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    channel: Option<ChannelName>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

async fn list(
    State(services): State<Services>,
    Query(ListQuery { channel, limit, cursor }): Query<ListQuery>,
) -> Result<Json<PageBody<PlayerBody>>, Problem> {
    let page = services.players.list(PlayerFilter { channel }, page_request(limit, cursor)).await?;
    Ok(Json(page.into()))
}

async fn vacate(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(player): Id<PlayerId>,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    services.players.vacate(&actor, player).await?;
    Ok(StatusCode::NO_CONTENT)
}
