//! How the fleet is.

use super::Door;
use super::metrics::{self, MEDIA_TYPE};
use super::problem::Problem;
use crate::stats::{FleetStats, Health};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// How much of a report.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extent {
    /// Whether with each bot and each connection.
    #[serde(default = "yes")]
    bots: bool,
}

fn yes() -> bool {
    true
}

/// Everything there is to tell, and whether all is well: what `GET /stats` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whether all is well.
    pub health: Health,
    /// Everything.
    #[serde(flatten)]
    pub stats: FleetStats,
}

/// `GET /stats`.
pub(super) async fn stats(
    State(door): State<Door>,
    extent: Result<Query<Extent>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Report>, Problem> {
    let invalid = |error: axum::extract::rejection::QueryRejection| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_query", error.body_text())
    };
    let Query(extent) = extent.map_err(invalid)?;
    let stats = report(&door, extent.bots)?;
    Ok(Json(Report { health: door.helm.health(), stats }))
}

/// `GET /metrics`.
pub(super) async fn metrics(State(door): State<Door>) -> Result<Response, Problem> {
    let stats = report(&door, false)?;
    let text = metrics::text(&stats, &door.helm.health());
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}

/// `GET /healthz`: whether the work is done. A process that answers and has no bots is not healthy.
pub(super) async fn healthz(State(door): State<Door>) -> (StatusCode, Json<Health>) {
    let health = door.helm.health();
    let status = if health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health))
}

fn report(door: &Door, each: bool) -> Result<FleetStats, Problem> {
    let _slot = door.reports.try_acquire().map_err(|_| {
        let detail = "too many reports are being made at this moment";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).passing(1)
    })?;
    Ok(door.helm.stats(each))
}
