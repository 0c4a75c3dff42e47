//! The calls about matches: what their members want, and what operators do.

use super::Matchmaking;
use super::error::MatchError;
use super::service::Inner;
use super::sweeping::unheard_for_too_long;
use crate::error::ServiceError;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchEnd, MatchId, MatchState};
use arena_store::{Actor, Confirming, MatchFilter, MatchRow, MemberRow, Page, PageRequest, now};

/// Whether whoever ends a match waits again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requeue {
    Yes,
    No,
}

impl Requeue {
    fn wanted(requeue: bool) -> Requeue {
        if requeue { Requeue::Yes } else { Requeue::No }
    }
}

impl Matchmaking {
    /// A match.
    pub async fn get_match(&self, id: MatchId) -> Result<MatchRow, ServiceError> {
        self.inner.match_row(id).await
    }

    /// A page of matches, oldest first.
    pub async fn matches(
        &self,
        filter: MatchFilter,
        page: PageRequest,
    ) -> Result<Page<MatchRow>, ServiceError> {
        Ok(self.inner.store.matches(&filter, &page).await?)
    }

    /// A user confirms a match. Too late is an error that says so.
    pub async fn confirm(&self, id: MatchId, user: &ParticipantId) -> Result<MatchRow, ServiceError> {
        let inner = &self.inner;
        let now = now();
        let confirming = inner.store.confirm_match(id, user, now).await?;
        let confirming = confirming.ok_or(MatchError::MatchNotFound(id))?;
        match confirming.map_err(|_| not_in(id, user))? {
            Confirming::Noted(row) => {
                inner.beat_in(&row, user);
                if row.state == MatchState::Standing && row.changed_at == now {
                    inner.counters.confirmed.add(1);
                }
                inner.changed_in(&row);
                Ok(row)
            }
            Confirming::Over(row) => {
                inner.beat_in(&row, user);
                let row = if row.state == MatchState::Over {
                    row
                } else {
                    inner.expire(&row).await?.unwrap_or(row)
                };
                Err(MatchError::MatchOver { id, end: row.ended.unwrap_or(MatchEnd::Unconfirmed) }.into())
            }
        }
    }

    /// A user does not want a match that is proposed. One that is over already stays as it is, and is no error.
    pub async fn decline(&self, id: MatchId, user: &ParticipantId) -> Result<MatchRow, ServiceError> {
        let row = self.inner.match_of(id, user).await?;
        match row.state {
            MatchState::Over => Ok(row),
            MatchState::Standing => Err(MatchError::Standing(id).into()),
            MatchState::Proposed => {
                let row = self.inner.end_by(id, MatchEnd::Declined, user, Requeue::No).await?;
                match row.state {
                    // The last one has confirmed in this moment.
                    MatchState::Standing => Err(MatchError::Standing(id).into()),
                    _ => Ok(row),
                }
            }
        }
    }

    /// A user wants another partner: the match is over for everybody, and the user waits again if it asks for that.
    /// One that is only proposed is declined. Doing it again changes nothing; whoever is second, because a partner was
    /// faster, waits again as if it had been first.
    pub async fn skip(
        &self,
        id: MatchId,
        user: &ParticipantId,
        requeue: bool,
    ) -> Result<MatchRow, ServiceError> {
        let mut row = self.inner.match_of(id, user).await?;
        if row.state == MatchState::Proposed {
            row = self.inner.end_by(id, MatchEnd::Declined, user, Requeue::wanted(requeue)).await?;
            // But for one that stands since a moment ago, that was it.
            if row.state != MatchState::Standing {
                return Ok(row);
            }
        }
        self.inner.end_by(row.id, MatchEnd::Skipped, user, Requeue::wanted(requeue)).await
    }

    /// A user leaves a match that stands (and its tournament: the others play on). Doing it again changes nothing.
    pub async fn leave(
        &self,
        id: MatchId,
        user: &ParticipantId,
        requeue: bool,
    ) -> Result<MatchRow, ServiceError> {
        let row = self.inner.match_of(id, user).await?;
        if row.channel.is_some() {
            return self.inner.leave_tournament(row, user).await;
        }
        match row.state {
            MatchState::Proposed => Err(MatchError::NotStanding(id).into()),
            _ => self.inner.end_by(id, MatchEnd::Left, user, Requeue::wanted(requeue)).await,
        }
    }

    /// An operator ends a match.
    pub async fn close(&self, actor: &Actor, id: MatchId) -> Result<MatchRow, ServiceError> {
        let ended = self.inner.end(id, MatchEnd::Closed, None, Requeue::No).await?;
        let (row, ended) = ended.ok_or(MatchError::MatchNotFound(id))?;
        if ended {
            let detail = serde_json::json!({ "match": id, "queue": row.queue });
            self.inner.note(actor, "match.closed", detail).await?;
        }
        Ok(row)
    }
}

impl Inner {
    pub(super) async fn match_row(&self, id: MatchId) -> Result<MatchRow, ServiceError> {
        self.store.match_row(id).await?.ok_or_else(|| MatchError::MatchNotFound(id).into())
    }

    /// A match in which this user acts. Asking counts as a heartbeat.
    pub(super) async fn match_of(&self, id: MatchId, user: &ParticipantId) -> Result<MatchRow, ServiceError> {
        let row = self.match_row(id).await?;
        if !row.members.iter().any(|member| member.user == *user) {
            return Err(not_in(id, user));
        }
        self.beat_in(&row, user);
        Ok(row)
    }

    fn beat_in(&self, row: &MatchRow, user: &ParticipantId) {
        if let Some(member) = row.members.iter().find(|member| member.user == *user) {
            self.pulse.beat(member.ticket);
        }
    }

    /// Ends a match by a user's wish. If it was over already, the user still waits again who wants to.
    pub(super) async fn end_by(
        &self,
        id: MatchId,
        end: MatchEnd,
        user: &ParticipantId,
        requeue: Requeue,
    ) -> Result<MatchRow, ServiceError> {
        let ended = self.end(id, end, Some(user.clone()), requeue).await?;
        let (row, ended) = ended.ok_or(MatchError::MatchNotFound(id))?;
        if !ended && requeue == Requeue::Yes && self.store.wait_again(id, user, now()).await? {
            if let Some(member) = row.members.iter().find(|member| member.user == *user) {
                self.changed(member.ticket, users(member));
            }
            self.nudges.nudge(&row.queue);
        }
        Ok(row)
    }

    /// Ends a match whose time to confirm is over, now and not with the next sweep. `None` if it is gone.
    pub(super) async fn expire(&self, row: &MatchRow) -> Result<Option<MatchRow>, ServiceError> {
        let end = if unheard_for_too_long(row, &self.hearing) {
            MatchEnd::Disconnected
        } else {
            MatchEnd::Unconfirmed
        };
        let ended = self.end(row.id, end, None, Requeue::No).await?;
        Ok(ended.map(|(row, _)| row))
    }
}

/// Everybody on a member's ticket.
pub(super) fn users(member: &MemberRow) -> impl Iterator<Item = &ParticipantId> {
    std::iter::once(&member.user).chain(&member.party)
}

fn not_in(id: MatchId, user: &ParticipantId) -> ServiceError {
    MatchError::NotInMatch { user: user.clone(), id }.into()
}
