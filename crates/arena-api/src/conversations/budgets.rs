//! `/api/budgets`: what several conversations share.

use super::door::Speaking;
use super::wire::{AccountBody, CapsBody, Speaker, WireError, object};
use crate::extract::{Acting, Id, JsonText};
use crate::problem::Problem;
use arena_control::Services;
use arena_core::Timestamp;
use arena_core::conversation::AccountId;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/api/budgets/{id}", get(show).put(set))
}

async fn show(
    State(services): State<Services>,
    Speaking(speaker): Speaking,
    Id(id): Id<AccountId>,
) -> Result<Json<AccountBody>, Problem> {
    may_see(&speaker, &id)?;
    let account = services.conversations.account(&id).await?;
    Ok(Json(AccountBody::new(id, account, now())))
}

/// Users see what is their own.
fn may_see(speaker: &Speaker, id: &AccountId) -> Result<(), WireError> {
    match id {
        AccountId::Owner(owner) if speaker.user.as_ref() == Some(owner) => Ok(()),
        _ => speaker.must_be_service(),
    }
}

async fn set(
    State(services): State<Services>,
    Acting(actor): Acting,
    Speaking(speaker): Speaking,
    Id(id): Id<AccountId>,
    JsonText(body): JsonText,
) -> Result<Json<AccountBody>, Problem> {
    speaker.must_be_service()?;
    let (caps, refill_every_ms) = object::<CapsBody>(&body)?.caps();
    let account = services.conversations.set_account(&actor, &id, caps, refill_every_ms).await?;
    Ok(Json(AccountBody::new(id, account, now())))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
