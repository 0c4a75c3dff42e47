//! `/api/bots`.

mod import;

use crate::extract::{Acting, Id, Json as Body, Limit, NoBody, OptionalJson, Query, page_request};
use crate::problem::Problem;
use crate::wire::{BotBody, BotWithReason, CreateBot, PageBody, StateName};
use arena_control::{BotFilter, BotRef, ChannelRef, Services};
use arena_core::channel::{ChannelKind, ChannelName, Region};
use arena_core::{BotId, ParseIdError};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use std::str::FromStr;

pub(crate) use import::routes as import_routes;

type Reply<T> = Result<Json<T>, Problem>;

pub(crate) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/bots", get(list).post(create))
        .route("/api/bots/{id}", get(show).delete(delete))
        .route("/api/bots/{id}/assign", post(assign))
        .route("/api/bots/{id}/move", post(move_to))
        .route("/api/bots/{id}/retry", post(retry))
        .route("/api/bots/{id}/disable", post(disable))
        .route("/api/bots/{id}/enable", post(enable))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    channel: Option<Where>,
    state: Option<StateName>,
    kind: Option<ChannelKind>,
    region: Option<Region>,
    name: Option<String>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

/// A channel's name, or `-` for no channel.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Where(ChannelRef);

impl TryFrom<String> for Where {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, ParseIdError> {
        if text == "-" { Ok(Where(ChannelRef::Nowhere)) } else { Ok(Where(ChannelRef::In(text.parse()?))) }
    }
}

async fn list(State(services): State<Services>, Query(query): Query<ListQuery>) -> Reply<PageBody<BotBody>> {
    let ListQuery { channel, state, kind, region, name, limit, cursor } = query;
    let filter = BotFilter {
        channel: channel.map(|Where(channel)| channel),
        state: state.map(|state| state.as_str().to_owned()),
        kind,
        region,
        name_prefix: name,
    };
    Ok(Json(services.bots.list(filter, page_request(limit, cursor)).await?.into()))
}

async fn create(
    State(services): State<Services>,
    Acting(actor): Acting,
    Body(new): Body<CreateBot>,
) -> Result<(StatusCode, Json<BotBody>), Problem> {
    let bot = services.bots.create(&actor, new.into()).await?;
    Ok((StatusCode::CREATED, Json(bot.into())))
}

/// A bot's id, or its name behind `name:`.
struct IdOrName(BotRef);

impl FromStr for IdOrName {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        match text.strip_prefix("name:") {
            Some(name) => Ok(IdOrName(BotRef::Name(name.to_owned()))),
            None => Ok(IdOrName(BotRef::Id(text.parse()?))),
        }
    }
}

async fn show(State(services): State<Services>, Id(IdOrName(bot)): Id<IdOrName>) -> Reply<BotWithReason> {
    Ok(Json(services.bots.get(&bot).await?.into()))
}

async fn delete(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(bot): Id<BotId>,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    services.bots.delete(&actor, bot).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assign {
    channel: Option<ChannelName>,
}

async fn assign(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(bot): Id<BotId>,
    OptionalJson(Assign { channel }): OptionalJson<Assign>,
) -> Reply<BotBody> {
    Ok(Json(services.bots.assign(&actor, bot, channel).await?.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    to: ChannelName,
}

async fn move_to(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(bot): Id<BotId>,
    Body(Move { to }): Body<Move>,
) -> Reply<BotBody> {
    Ok(Json(services.bots.move_to(&actor, bot, to).await?.into()))
}

async fn retry(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(bot): Id<BotId>,
    _: NoBody,
) -> Reply<BotBody> {
    Ok(Json(services.bots.retry(&actor, bot).await?.into()))
}

async fn disable(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(bot): Id<BotId>,
    _: NoBody,
) -> Reply<BotBody> {
    Ok(Json(services.bots.set_enabled(&actor, bot, false).await?.into()))
}

async fn enable(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(bot): Id<BotId>,
    _: NoBody,
) -> Reply<BotBody> {
    Ok(Json(services.bots.set_enabled(&actor, bot, true).await?.into()))
}
