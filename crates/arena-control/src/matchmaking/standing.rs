//! The calls about other users: blocks, reports, and who is there.

use super::Matchmaking;
use super::acting::{Requeue, users};
use super::error::MatchError;
use super::service::Inner;
use crate::error::ServiceError;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::{MatchEnd, MatchId, MatchState};
use arena_store::{MAX_BLOCKS, MatchRow, Page, PageRequest, ReportRow, now};

/// The longest reason of a report, in bytes.
const MAX_REASON: usize = 64;

/// The longest text of a report, in bytes.
const MAX_DETAIL: usize = 4_000;

impl Matchmaking {
    /// A user is not matched with another any more; a match that they are in ends. Whoever was only proposed waits
    /// again, and so does the partner. Refused where the user has [`MAX_BLOCKS`] already.
    pub async fn block(&self, user: &ParticipantId, blocked: &ParticipantId) -> Result<(), ServiceError> {
        let inner = &self.inner;
        if user == blocked {
            return Err(MatchError::InvalidReport("nobody can block themselves".to_owned()).into());
        }
        if !inner.store.block(user, blocked, now()).await? {
            return Err(MatchError::TooManyBlocks { limit: MAX_BLOCKS }.into());
        }
        if let Some(row) = inner.match_with(user, blocked).await? {
            // A match that nobody has met in yet is nobody's doing.
            let by = (row.state == MatchState::Standing).then(|| user.clone());
            inner.end(row.id, MatchEnd::Blocked, by, Requeue::No).await?;
        }
        Ok(())
    }

    /// Takes a block back.
    pub async fn unblock(&self, user: &ParticipantId, blocked: &ParticipantId) -> Result<(), ServiceError> {
        self.inner.store.unblock(user, blocked).await?;
        Ok(())
    }

    /// A page of those whom a user has blocked, by id.
    pub async fn blocks(
        &self,
        user: &ParticipantId,
        page: PageRequest,
    ) -> Result<Page<ParticipantId>, ServiceError> {
        Ok(self.inner.store.blocks(user, &page).await?)
    }

    /// A user reports a partner; `reported` may be left out where there is only one. Operators hear of it on
    /// `operator:matchmaking`, of what is said again only if the words are others.
    pub async fn report(
        &self,
        id: MatchId,
        reporter: &ParticipantId,
        reported: Option<ParticipantId>,
        reason: String,
        detail: String,
    ) -> Result<ReportRow, ServiceError> {
        let inner = &self.inner;
        let row = inner.match_row(id).await?;
        let reported = who_is_meant(&row, reporter, reported)?;
        check(&reason, &detail)?;
        let (reporter, report_id) = (reporter.clone(), uuid::Uuid::now_v7());
        let report =
            ReportRow { id: report_id, in_match: id, reporter, reported, reason, detail, created_at: now() };
        let (report, is_new) = inner.store.report(&report).await?;
        if is_new {
            inner.tell_operators_of_report(&report);
        }
        Ok(report)
    }

    /// A page of reports, newest first.
    pub async fn reports(&self, page: PageRequest) -> Result<Page<ReportRow>, ServiceError> {
        Ok(self.inner.store.reports(&page).await?)
    }

    /// A user has come to a match's conversation, or its last connection there has ended. Never fails: what is not noted
    /// is found by the missing heartbeats.
    pub async fn attend(&self, conversation: &ConversationId, user: &ParticipantId, present: bool) {
        let inner = &self.inner;
        // Connections that end because the server does say nothing of their users.
        if !super::drafting::is_of_a_match(conversation) || (inner.stop.is_cancelled() && !present) {
            return;
        }
        inner.pulse.comes(conversation, user, (!present).then(now));
    }
}

impl Inner {
    /// The match, not over, that both are in.
    async fn match_with(
        &self,
        user: &ParticipantId,
        other: &ParticipantId,
    ) -> Result<Option<MatchRow>, ServiceError> {
        let ticket = self.store.ticket_of(user).await?;
        let Some(id) = ticket.and_then(|ticket| ticket.in_match) else { return Ok(None) };
        let row = self.store.match_row(id).await?;
        // Nobody leaves a tournament for whom it has blocked.
        let row = row.filter(|row| row.channel.is_none());
        Ok(row.filter(|row| row.state != MatchState::Over && everybody(row).any(|member| member == other)))
    }
}

fn everybody(row: &MatchRow) -> impl Iterator<Item = &ParticipantId> {
    row.members.iter().flat_map(users)
}

/// Whom a report is about.
fn who_is_meant(
    row: &MatchRow,
    reporter: &ParticipantId,
    reported: Option<ParticipantId>,
) -> Result<ParticipantId, MatchError> {
    let not_in = |user: &ParticipantId| MatchError::NotInMatch { user: user.clone(), id: row.id };
    if !everybody(row).any(|member| member == reporter) {
        return Err(not_in(reporter));
    }
    let wrong = |words: &str| MatchError::InvalidReport(words.to_owned());
    match reported {
        Some(reported) if reported == *reporter => Err(wrong("nobody can report themselves")),
        Some(reported) if everybody(row).any(|member| *member == reported) => Ok(reported),
        Some(reported) => Err(not_in(&reported)),
        None => {
            let mut others = everybody(row).filter(|member| *member != reporter);
            match (others.next(), others.next()) {
                (Some(only), None) => Ok(only.clone()),
                _ => Err(wrong("there are several others in this match; say who is reported")),
            }
        }
    }
}

fn check(reason: &str, detail: &str) -> Result<(), MatchError> {
    if !(1..=MAX_REASON).contains(&reason.len()) || reason.chars().any(char::is_control) {
        let words = format!("a reason has 1 to {MAX_REASON} bytes and no control characters");
        return Err(MatchError::InvalidReport(words));
    }
    if detail.len() > MAX_DETAIL {
        return Err(MatchError::InvalidReport(format!("detail has at most {MAX_DETAIL} bytes")));
    }
    Ok(())
}
