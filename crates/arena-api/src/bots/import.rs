//! `POST /api/bots/import`: a roster as CSV or JSON.

use crate::extract::{Acting, media_type};
use crate::problem::Problem;
use crate::wire::ImportedBody;
use arena_control::roster::{RosterError, parse_csv, parse_json};
use arena_control::{NewBot, Services};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};

pub(crate) fn routes() -> Router<Services> {
    Router::new().route("/api/bots/import", post(import))
}

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Json,
}

impl Format {
    fn of(headers: &HeaderMap) -> Result<Format, Problem> {
        match media_type(headers).as_str() {
            "text/csv" => Ok(Format::Csv),
            "application/json" => Ok(Format::Json),
            other => {
                let detail = format!("a roster is `text/csv` or `application/json`, not `{other}`");
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
            }
        }
    }
}

async fn import(
    State(services): State<Services>,
    Acting(actor): Acting,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ImportedBody>, Problem> {
    let format = Format::of(&headers)?;
    // 32 MiB take a while to parse; a thread for blocking work takes them.
    let rows = tokio::task::spawn_blocking(move || parse(format, &body)).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "reading a roster panicked");
        Problem::internal()
    })??;
    Ok(Json(services.bots.import(&actor, rows).await?.into()))
}

fn parse(format: Format, body: &[u8]) -> Result<Vec<NewBot>, Problem> {
    let refuse = |why: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_roster", why);
    let text = std::str::from_utf8(body).map_err(|error| {
        let line = 1 + body[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        refuse(format!("line {line}: the roster is not UTF-8"))
    })?;
    let rows = match format {
        Format::Csv => parse_csv(text),
        Format::Json => parse_json(text),
    };
    rows.map_err(|error: RosterError| refuse(error.to_string()))
}
