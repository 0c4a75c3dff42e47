//! Tickets.

use super::Done;
use super::polls::{From, Polls};
use super::wire::EnqueueBody;
use crate::conversations::wire::{Speaker, WireError, object};
use crate::conversations::{Speaking, in_query};
use crate::extract::{Id, JsonText, Limit, NoBody, Query, page_request};
use crate::problem::Problem;
use crate::wire::PageBody;
use arena_control::{MatchBody, Services, TicketBody, TicketFilter, TicketView};
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Kind, QueueName, TicketId, TicketState};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use std::time::Duration;

/// A ticket, as whoever asks may see it: the tickets of partners are shown to services.
fn shown(view: &TicketView, to: &Speaker) -> TicketBody {
    let in_match = view.in_match.as_ref().filter(|_| to.service).map(MatchBody::for_operators);
    let body = TicketBody::new(view);
    TicketBody { in_match: in_match.or(body.in_match), ..body }
}

/// The ticket, if it is one of whoever asks.
async fn own(services: &Services, who: &Speaker, id: TicketId) -> Result<TicketView, Problem> {
    let view = services.matchmaking.ticket(id).await?;
    let is_on_it = || who.user.as_ref().is_some_and(|user| view.ticket.wish.users().any(|on| on == user));
    if who.service || is_on_it() { Ok(view) } else { Err(WireError::NotYourTicket(id).into()) }
}

pub(super) async fn enqueue(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    JsonText(body): JsonText,
) -> Result<(StatusCode, Json<Done>), Problem> {
    let mut body: EnqueueBody = object(&body)?;
    let user = speaker.name(body.user.take(), "user")?;
    let act = body.act(user.clone(), &speaker)?;
    Ok((StatusCode::CREATED, Json(act.carry_out(&services.matchmaking, &user).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    queue: Option<QueueName>,
    state: Option<TicketState>,
    user: Option<ParticipantId>,
    kind: Option<Kind>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

/// Services see all tickets, users their own.
pub(super) async fn list(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Query(query): Query<ListQuery>,
) -> Result<Json<PageBody<TicketBody>>, Problem> {
    let ListQuery { queue, state, user, kind, limit, cursor } = query;
    let user = if speaker.service { user } else { Some(speaker.name(user, "user").map_err(in_query)?) };
    let filter = TicketFilter { queue, state, user, kind };
    let page = services.matchmaking.tickets(filter, page_request(limit, cursor)).await?;
    Ok(Json(PageBody::of(page, |view| shown(&view, &speaker))))
}

/// How long news are waited for, in milliseconds.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(try_from = "u32")]
struct Wait(u32);

impl Wait {
    const MAX_MS: u32 = 30_000;
}

impl TryFrom<u32> for Wait {
    type Error = String;

    fn try_from(wait_ms: u32) -> Result<Self, String> {
        let max = Wait::MAX_MS;
        if wait_ms <= max { Ok(Wait(wait_ms)) } else { Err(format!("wait_ms: 0 to {max}, not {wait_ms}")) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShowQuery {
    wait_ms: Option<Wait>,
    version: Option<i64>,
}

/// The ticket; with `wait_ms` as soon as it is in another version than the one that is known, or after that time as it is
/// then.
pub(super) async fn show(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Extension(polls): Extension<Polls>,
    from: From,
    Id(id): Id<TicketId>,
    Query(ShowQuery { wait_ms, version }): Query<ShowQuery>,
) -> Result<Json<TicketBody>, Problem> {
    let view = own(&services, &speaker, id).await?;
    let Wait(wait_ms) = wait_ms.unwrap_or_default();
    let known = version.unwrap_or(view.ticket.version);
    if wait_ms == 0 || view.ticket.version != known {
        return Ok(Json(shown(&view, &speaker)));
    }
    let _waiting = polls.begin(&speaker, &from)?;
    let at_most = polls.at_most(Duration::from_millis(wait_ms.into()));
    let news = services.matchmaking.wait(id, known, at_most);
    let view = match from.closing.run_until_cancelled(news).await {
        Some(news) => news?,
        // The server ends: what is known is told now.
        None => view,
    };
    Ok(Json(shown(&view, &speaker)))
}

pub(super) async fn heartbeat(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(id): Id<TicketId>,
    _: NoBody,
) -> Result<Json<TicketBody>, Problem> {
    if !speaker.service {
        own(&services, &speaker, id).await?;
    }
    Ok(Json(shown(&services.matchmaking.heartbeat(id).await?, &speaker)))
}

pub(super) async fn cancel(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(id): Id<TicketId>,
    _: NoBody,
) -> Result<Json<TicketBody>, Problem> {
    if !speaker.service {
        own(&services, &speaker, id).await?;
    }
    Ok(Json(shown(&services.matchmaking.cancel(id).await?, &speaker)))
}
