//! Matches.

use super::wire::ReportBody;
use super::{Act, Done};
use crate::conversations::Speaking;
use crate::conversations::wire::{Speaker, object};
use crate::extract::{Acting, Id, JsonText, Limit, NoBody, Query, page_request};
use crate::problem::Problem;
use crate::wire::PageBody;
use arena_control::{MatchBody, MatchError, MatchFilter, MatchRow, ServiceError, Services};
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchId, MatchState, QueueName};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

/// Refuses users who are not in the match.
pub(super) fn must_be_in(who: &Speaker, row: &MatchRow) -> Result<(), Problem> {
    let Some(user) = who.user.as_ref().filter(|_| !who.service) else {
        return Ok(who.must_be_service()?);
    };
    let is_in = row.members.iter().any(|member| member.user == *user || member.party.contains(user));
    let refused = || MatchError::NotInMatch { user: user.clone(), id: row.id };
    if is_in { Ok(()) } else { Err(ServiceError::from(refused()).into()) }
}

fn shown(row: &MatchRow, to: &Speaker) -> MatchBody {
    if to.service { MatchBody::for_operators(row) } else { MatchBody::new(row) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    queue: Option<QueueName>,
    state: Option<MatchState>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

pub(super) async fn list(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Query(query): Query<ListQuery>,
) -> Result<Json<PageBody<MatchBody>>, Problem> {
    listed(&services, &speaker, query, false).await
}

/// A page of matches, or only of those that are tournaments.
pub(super) async fn listed(
    services: &Services,
    speaker: &Speaker,
    query: ListQuery,
    tournaments: bool,
) -> Result<Json<PageBody<MatchBody>>, Problem> {
    speaker.must_be_service()?;
    let ListQuery { queue, state, limit, cursor } = query;
    let filter = MatchFilter { queue, state, tournaments };
    let page = services.matchmaking.matches(filter, page_request(limit, cursor)).await?;
    Ok(Json(PageBody::of(page, |row| MatchBody::for_operators(&row))))
}

pub(super) async fn show(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(id): Id<MatchId>,
) -> Result<Json<MatchBody>, Problem> {
    let row = services.matchmaking.get_match(id).await?;
    must_be_in(&speaker, &row)?;
    Ok(Json(shown(&row, &speaker)))
}

/// Who it is for.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhoBody {
    user: Option<ParticipantId>,
}

/// Who it is for, and whether that one waits again.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoBody {
    user: Option<ParticipantId>,
    requeue: Option<bool>,
}

/// Reads a body whose every field may be left out, and so the whole of it.
fn optional<T: serde::de::DeserializeOwned + Default>(body: &str) -> Result<T, Problem> {
    if body.is_empty() { Ok(T::default()) } else { Ok(object(body)?) }
}

/// Whoever skips waits again, and whoever leaves does not, where nothing else is said.
impl GoBody {
    pub(super) fn skip(self, id: MatchId) -> (Option<ParticipantId>, Act) {
        (self.user, Act::Skip { id, requeue: self.requeue.unwrap_or(true) })
    }

    pub(super) fn leave(self, id: MatchId) -> (Option<ParticipantId>, Act) {
        (self.user, Act::Leave { id, requeue: self.requeue.unwrap_or(false) })
    }
}

/// Handlers of what a user does in a match, by what their body says.
macro_rules! acts {
    ($($name:ident, $act:expr;)*) => {$(
        pub(super) async fn $name(
            State(services): State<Services>,
            Speaking(speaker): Speaking,
            Id(id): Id<MatchId>,
            JsonText(body): JsonText,
        ) -> Result<Json<Done>, Problem> {
            let (user, act) = $act(optional(&body)?, id);
            let user = speaker.name(user, "user")?;
            Ok(Json(act.carry_out(&services.matchmaking, &user).await?))
        }
    )*};
}

acts! {
    confirm, |body: WhoBody, id| (body.user, Act::Confirm(id));
    decline, |body: WhoBody, id| (body.user, Act::Decline(id));
    skip, GoBody::skip;
    leave, GoBody::leave;
}

pub(super) async fn close(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    Id(id): Id<MatchId>,
    _: NoBody,
) -> Result<Json<MatchBody>, Problem> {
    speaker.must_be_service()?;
    Ok(Json(shown(&services.matchmaking.close(&actor, id).await?, &speaker)))
}

pub(super) async fn report(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(id): Id<MatchId>,
    JsonText(body): JsonText,
) -> Result<(StatusCode, Json<Done>), Problem> {
    let ReportBody { user, reported, reason, detail } = object(&body)?;
    let user = speaker.name(user, "user")?;
    let act = Act::Report { id, reported, reason, detail: detail.unwrap_or_default() };
    Ok((StatusCode::CREATED, Json(act.carry_out(&services.matchmaking, &user).await?)))
}
