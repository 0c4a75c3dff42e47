//! `/api/channels`.

use crate::extract::{Acting, Id, Json as Body, Limit, NoBody, OptionalJson, Query, page_request};
use crate::problem::Problem;
use crate::wire::{
    AppliedBody, BotBody, ChannelBody, DiscoveryBody, DrainedBody, InitBody, OpenChannel, PageBody,
    PutChannel, ResetBody, StatsBody,
};
use arena_control::{ChannelFilter, ChannelPatch, Services};
use arena_core::BotId;
use arena_core::channel::{ChannelKind, ChannelName, GroupName, Mode, Region, Status};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

type Reply<T> = Result<Json<T>, Problem>;

pub(crate) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/channels", get(list).post(open))
        .route("/api/channels/init", post(init))
        .route("/api/channels/rebalance", post(rebalance_all))
        .route("/api/channels/reset", post(reset))
        .route("/api/channels/{id}", get(show).put(configure).delete(delete))
        .route("/api/channels/{id}/stats", get(stats))
        .route("/api/channels/{id}/assign-bot", post(assign_bot))
        .route("/api/channels/{id}/remove-bot", post(remove_bot))
        .route("/api/channels/{id}/drain", post(drain))
        .route("/api/channels/{id}/activate", post(activate))
        .route("/api/channels/{id}/migrate", post(migrate))
        .route("/api/channels/{id}/rebalance", post(rebalance))
        .route("/api/channels/{id}/discover", post(discover))
        .route("/api/channels/{id}/sync", post(sync))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    kind: Option<ChannelKind>,
    status: Option<Status>,
    region: Option<Region>,
    group: Option<GroupName>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

async fn list(
    State(services): State<Services>,
    Query(query): Query<ListQuery>,
) -> Reply<PageBody<ChannelBody>> {
    let ListQuery { kind, status, region, group, limit, cursor } = query;
    let filter = ChannelFilter { kind, status, region, group };
    Ok(Json(services.channels.list(filter, page_request(limit, cursor)).await?.into()))
}

async fn open(
    State(services): State<Services>,
    Acting(actor): Acting,
    Body(new): Body<OpenChannel>,
) -> Result<(StatusCode, Json<ChannelBody>), Problem> {
    let channel = services.channels.open(&actor, new.into()).await?;
    Ok((StatusCode::CREATED, Json(channel.into())))
}

async fn init(State(services): State<Services>, Acting(actor): Acting, _: NoBody) -> Reply<InitBody> {
    Ok(Json(services.channels.init(&actor).await?.into()))
}

async fn show(State(services): State<Services>, Id(name): Id<ChannelName>) -> Reply<ChannelBody> {
    Ok(Json(services.channels.get(&name).await?.into()))
}

async fn configure(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(name): Id<ChannelName>,
    Body(put): Body<PutChannel>,
) -> Reply<ChannelBody> {
    let (channel, _) = services.channels.configure(&actor, &name, put.into()).await?;
    Ok(Json(channel.into()))
}

async fn delete(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(name): Id<ChannelName>,
    _: NoBody,
) -> Reply<AppliedBody> {
    Ok(Json(services.channels.delete(&actor, &name).await?.into()))
}

async fn stats(State(services): State<Services>, Id(name): Id<ChannelName>) -> Reply<StatsBody> {
    Ok(Json(services.channels.stats(&name).await?.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneBot {
    bot_id: BotId,
}

async fn assign_bot(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(name): Id<ChannelName>,
    Body(OneBot { bot_id }): Body<OneBot>,
) -> Reply<BotBody> {
    Ok(Json(services.channels.assign(&actor, &name, bot_id).await?.into()))
}

async fn remove_bot(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(name): Id<ChannelName>,
    Body(OneBot { bot_id }): Body<OneBot>,
) -> Reply<BotBody> {
    Ok(Json(services.channels.remove(&actor, &name, bot_id).await?.into()))
}

fn mode(mode: Mode) -> ChannelPatch {
    ChannelPatch { max_bots: None, metadata: None, mode: Some(mode) }
}

async fn drain(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(name): Id<ChannelName>,
    _: NoBody,
) -> Reply<DrainedBody> {
    Ok(Json(services.channels.configure(&actor, &name, mode(Mode::Draining)).await?.into()))
}

async fn activate(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(name): Id<ChannelName>,
    _: NoBody,
) -> Reply<ChannelBody> {
    let (channel, _) = services.channels.configure(&actor, &name, mode(Mode::Active)).await?;
    Ok(Json(channel.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Migrate {
    to: ChannelName,
    bot_ids: Option<Vec<BotId>>,
}

async fn migrate(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(from): Id<ChannelName>,
    Body(Migrate { to, bot_ids }): Body<Migrate>,
) -> Reply<AppliedBody> {
    Ok(Json(services.channels.migrate(&actor, &from, &to, bot_ids).await?.into()))
}

async fn rebalance(
    State(services): State<Services>,
    Acting(actor): Acting,
    Id(name): Id<ChannelName>,
    _: NoBody,
) -> Reply<AppliedBody> {
    Ok(Json(services.channels.rebalance(&actor, Some(&name)).await?.into()))
}

async fn rebalance_all(
    State(services): State<Services>,
    Acting(actor): Acting,
    _: NoBody,
) -> Reply<AppliedBody> {
    Ok(Json(services.channels.rebalance(&actor, None).await?.into()))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Discover {
    clear: Option<bool>,
}

async fn discover(
    State(services): State<Services>,
    Id(name): Id<ChannelName>,
    OptionalJson(Discover { clear }): OptionalJson<Discover>,
) -> Reply<DiscoveryBody> {
    Ok(Json(services.channels.discover(&name, clear.unwrap_or_default()).await?.into()))
}

#[derive(serde::Serialize)]
struct Accepted {}

async fn sync(
    State(services): State<Services>,
    Id(name): Id<ChannelName>,
    _: NoBody,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    services.channels.sync(&name).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted {})))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    channel: Option<ChannelName>,
    dry_run: Option<bool>,
}

async fn reset(
    State(services): State<Services>,
    Acting(actor): Acting,
    OptionalJson(Reset { channel, dry_run }): OptionalJson<Reset>,
) -> Reply<ResetBody> {
    let dry_run = dry_run.unwrap_or_default();
    let items = services.channels.reset(&actor, channel.as_ref(), dry_run).await?;
    Ok(Json(ResetBody::new(items, !dry_run)))
}
