//! Conversations of matches that are over: closed, with the reason where their members read it, or deleted where the
//! match never stood and nobody has said anything.
//!
//! That is done right after the end. Whatever a crash or an outage leaves undone, the sweep finds: a match is settled
//! only when the store says so.

use super::body::told_by;
use super::ending::stood;
use super::service::Inner;
use crate::conversations::SubmitError;
use crate::error::ServiceError;
use arena_core::conversation::{Command, ConversationId};
use arena_core::matching::{MatchEnd, MatchId};
use arena_store::{Actor, MatchRow};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Matches that may wait to be settled. One more is left to the sweep.
const MAX_QUEUE: usize = 4_096;

/// Matches that are settled at the same time.
const AT_ONCE: usize = 64;

/// Where matches that are over are handed in.
#[derive(Debug)]
pub(super) struct Settling {
    queue: mpsc::Sender<Arc<MatchRow>>,
}

impl Settling {
    pub(super) fn new() -> (Settling, mpsc::Receiver<Arc<MatchRow>>) {
        let (queue, unsettled) = mpsc::channel(MAX_QUEUE);
        (Settling { queue }, unsettled)
    }

    /// Has a match settled soon.
    pub(super) fn settle(&self, row: Arc<MatchRow>) {
        // Full: the sweep finds it.
        let _ = self.queue.try_send(row);
    }
}

/// Settles matches until it is told to stop.
pub(super) async fn run(
    inner: Arc<Inner>,
    mut unsettled: mpsc::Receiver<Arc<MatchRow>>,
    stop: CancellationToken,
) {
    let mut rows = Vec::with_capacity(AT_ONCE);
    while let Some(1..) = stop.run_until_cancelled(unsettled.recv_many(&mut rows, AT_ONCE)).await {
        settle(&inner, std::mem::take(&mut rows)).await;
    }
}

/// Settles these; those that cannot be now are left to the sweep.
pub(super) async fn settle(inner: &Arc<Inner>, rows: Vec<Arc<MatchRow>>) {
    let mut settling = JoinSet::new();
    for row in rows {
        let inner = Arc::clone(inner);
        settling.spawn(async move {
            inner.end_talk(&row).await.map(|done| done.then_some(row.id)).map_err(|error| (row.id, error))
        });
    }
    let mut settled: Vec<MatchId> = Vec::new();
    while let Some(outcome) = settling.join_next().await {
        match outcome {
            Ok(Ok(id)) => settled.extend(id),
            Ok(Err((id, error))) => {
                tracing::debug!(match_id = %id, %error, "a match cannot be settled now; tried again soon");
            }
            Err(error) => tracing::error!(%error, "settling a match ended abnormally"),
        }
    }
    if !settled.is_empty()
        && let Err(error) = inner.store.settle_matches(&settled).await
    {
        tracing::warn!(%error, "matches that are settled cannot be noted as such; done again soon");
    }
}

impl Inner {
    /// Returns whether nothing is left to do.
    async fn end_talk(&self, row: &MatchRow) -> Result<bool, ServiceError> {
        let Some(conversation) = &row.conversation else { return self.end_tournament(row).await };
        // What was said before the match stood is kept: it may be why somebody declined.
        if stood(row) || self.was_spoken_in(row, conversation).await? {
            self.close_talk(row, conversation).await?;
        } else {
            self.delete_talk(conversation).await?;
        }
        Ok(true)
    }

    async fn was_spoken_in(
        &self,
        row: &MatchRow,
        conversation: &ConversationId,
    ) -> Result<bool, ServiceError> {
        let Some(member) = row.members.first() else { return Ok(false) };
        match self.conversations.context(conversation, &member.user, 1).await {
            Ok(context) => Ok(!context.last.is_empty()),
            Err(ServiceError::ConversationNotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Says why, and ends it. One that is at its end, or gone, has nothing to be told.
    ///
    /// The message has no id: members could take whichever it has before. Both commands are written together as a rule;
    /// once the conversation is at its end, doing this again says nothing.
    async fn close_talk(&self, row: &MatchRow, conversation: &ConversationId) -> Result<(), ServiceError> {
        let actor = Actor::system();
        let why = Command::SaySystem { id: None, text: farewell(row), data: reason(row) };
        // An operator's doing is one for the activity log; the others are everyday.
        let end = if row.ended == Some(MatchEnd::Closed) { Command::Close } else { Command::End };
        let said = self.conversations.submit(&actor, conversation, why);
        let ended = self.conversations.submit(&actor, conversation, end);
        harmless(said.await)?;
        harmless(ended.await)
    }

    async fn delete_talk(&self, conversation: &ConversationId) -> Result<(), ServiceError> {
        match self.conversations.delete_unbegun(conversation).await {
            Err(ServiceError::ConversationNotFound(_)) => Ok(()),
            outcome => outcome,
        }
    }
}

fn harmless<T>(outcome: Result<T, SubmitError>) -> Result<(), ServiceError> {
    match outcome {
        Ok(_) | Err(SubmitError::Refused(_) | SubmitError::Failed(ServiceError::ConversationNotFound(_))) => {
            Ok(())
        }
        Err(SubmitError::Failed(error)) => Err(error),
    }
}

/// Why a match is over, for machines.
fn reason(row: &MatchRow) -> Option<Box<RawValue>> {
    let why = serde_json::json!({ "match_over": row.ended, "by": told_by(row), "match": row.id });
    to_raw_value(&why).ok()
}

/// The same for people.
fn farewell(row: &MatchRow) -> String {
    let name =
        |member: &arena_store::MemberRow| member.name.clone().unwrap_or_else(|| member.user.to_string());
    let by = row.ended_by.as_ref();
    let member = row.members.iter().find(|member| Some(&member.user) == by);
    let who =
        member.map(name).or_else(|| by.map(ToString::to_string)).unwrap_or_else(|| "Somebody".to_owned());
    match row.ended {
        Some(MatchEnd::Skipped) => format!("{who} wants to talk to somebody else. Goodbye!"),
        Some(MatchEnd::Left) => format!("{who} has left. Goodbye!"),
        Some(MatchEnd::Disconnected) => format!("{who} is gone. Goodbye!"),
        Some(MatchEnd::Blocked) => "This match is over: somebody has blocked a partner.".to_owned(),
        Some(MatchEnd::Closed) => "An operator has ended this match.".to_owned(),
        _ => "This match is over. Goodbye!".to_owned(),
    }
}
