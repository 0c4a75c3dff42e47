//! `/api/matchmaking`, and the words that REST and the socket share.

mod act;
mod blocks;
mod events;
mod matches;
mod polls;
mod queues;
mod tickets;
mod tournaments;
pub(crate) mod wire;

pub(crate) use act::{Act, Done};
pub(crate) use events::Event;
pub(crate) use polls::Polls;
pub use wire::rules_from_json;

use crate::conversations::{Door, Speaking};
use crate::extract::{Limit, Query, page_request};
use crate::problem::Problem;
use crate::wire::PageBody;
use arena_control::Services;
use arena_core::Timestamp;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use std::time::{SystemTime, UNIX_EPOCH};
use wire::{ReportedBody, StatsBody};

/// Everything but the look at a ticket.
pub(crate) fn routes(door: Door) -> Router<Services> {
    Router::new()
        .route("/api/matchmaking/queues", get(queues::list))
        .route("/api/matchmaking/queues/{queue}", get(queues::show).put(queues::put).delete(queues::remove))
        .route("/api/matchmaking/tickets", get(tickets::list).post(tickets::enqueue))
        .route("/api/matchmaking/tickets/{id}", axum::routing::delete(tickets::cancel))
        .route("/api/matchmaking/tickets/{id}/heartbeat", post(tickets::heartbeat))
        .route("/api/matchmaking/matches", get(matches::list))
        .route("/api/matchmaking/matches/{id}", get(matches::show))
        .route("/api/matchmaking/matches/{id}/confirm", post(matches::confirm))
        .route("/api/matchmaking/matches/{id}/decline", post(matches::decline))
        .route("/api/matchmaking/matches/{id}/skip", post(matches::skip))
        .route("/api/matchmaking/matches/{id}/leave", post(matches::leave))
        .route("/api/matchmaking/matches/{id}/close", post(matches::close))
        .route("/api/matchmaking/matches/{id}/report", post(matches::report))
        .route("/api/matchmaking/reports", get(reports))
        .route("/api/matchmaking/blocks", get(blocks::list).put(blocks::block).delete(blocks::unblock))
        .route("/api/matchmaking/tournaments", get(tournaments::list))
        .route("/api/matchmaking/tournaments/{id}", get(tournaments::show))
        .route("/api/matchmaking/tournaments/{id}/games/{game}/result", post(tournaments::result))
        .route("/api/matchmaking/tournaments/{id}/leave", post(tournaments::leave))
        .route("/api/matchmaking/stats", get(stats))
        .layer(Extension(door))
}

/// The look at a ticket, which may take its time: it is counted apart from other requests.
pub(crate) fn poll_routes(door: Door, polls: Polls) -> Router<Services> {
    Router::new()
        .route("/api/matchmaking/tickets/{id}", get(tickets::show))
        .layer(Extension(polls))
        .layer(Extension(door))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportsQuery {
    limit: Option<Limit>,
    cursor: Option<String>,
}

async fn reports(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Query(ReportsQuery { limit, cursor }): Query<ReportsQuery>,
) -> Result<Json<PageBody<ReportedBody>>, Problem> {
    speaker.must_be_service()?;
    Ok(Json(services.matchmaking.reports(page_request(limit, cursor)).await?.into()))
}

async fn stats(State(services): State<Services>) -> Json<StatsBody> {
    Json(services.matchmaking.stats().into())
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
