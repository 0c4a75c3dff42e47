//! `/api/activity`: who did what, newest first.

use crate::extract::{Limit, Query, page_request};
use crate::problem::Problem;
use crate::wire::{ActivityBody, PageBody};
use arena_control::{ActivityFilter, Services};
use arena_core::BotId;
use arena_core::channel::ChannelName;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

pub(crate) fn routes() -> Router<Services> {
    Router::new().route("/api/activity", get(list))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    bot: Option<BotId>,
    channel: Option<ChannelName>,
    action: Option<String>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

async fn list(
    State(services): State<Services>,
    Query(query): Query<ListQuery>,
) -> Result<Json<PageBody<ActivityBody>>, Problem> {
    let ListQuery { bot, channel, action, limit, cursor } = query;
    let filter = ActivityFilter { bot, channel, action };
    Ok(Json(services.activity.list(filter, page_request(limit, cursor)).await?.into()))
}
