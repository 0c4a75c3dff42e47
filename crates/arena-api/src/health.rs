//! The health report, and what a process supervisor asks.

use crate::problem::Problem;
use arena_control::Services;
use arena_core::health::HealthReport;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

pub(crate) fn routes() -> Router<Services> {
    Router::new().route("/api/health", get(report)).route("/readyz", get(ready))
}

/// Apart from the rest: under any load it answers as long as the process can.
pub(crate) fn liveness() -> Router<Services> {
    Router::new().route("/healthz", get(async || Json(Condition { status: "alive" })))
}

#[derive(Serialize)]
struct Condition {
    status: &'static str,
}

async fn report(State(services): State<Services>) -> Result<Json<HealthReport>, Problem> {
    Ok(Json(services.health.report().await?))
}

async fn ready(State(services): State<Services>) -> Result<Json<Condition>, Problem> {
    services.health.ready().await?;
    Ok(Json(Condition { status: "ready" }))
}
