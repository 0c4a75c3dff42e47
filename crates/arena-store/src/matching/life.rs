//! A match after it was made: it is confirmed, and it ends.

use super::create::{are_on_another, write_users};
use super::end::{end, wait_again};
use super::locks::{hold_match, hold_queue, hold_tickets};
use super::read;
use super::rows::{MatchRow, MemberRow, TicketRow};
use crate::db::{Store, Tx, transact};
use crate::error::StoreError;
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchEnd, MatchId, MatchState, TicketEnd, TicketId};

/// What came of a confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirming {
    /// It counts; others have to confirm still, if the match is only proposed.
    Noted(MatchRow),
    /// It came too late, or the match is over for another reason.
    Over(MatchRow),
}

/// How a match ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Why.
    pub end: MatchEnd,
    /// Whose doing it is.
    pub by: Option<ParticipantId>,
    /// Whether that one waits again; others do as their wish says.
    pub requeue: bool,
    /// Until when its members are not matched with each other again, if they have met.
    pub apart_until: Option<Timestamp>,
    /// It ends only if it is in this state.
    pub only: Option<MatchState>,
    /// Which members of a match that stands are not there any more: they do not wait again, whatever they wished.
    pub lost: Lost,
}

/// Which members of a match are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Those whose connection is gone since before then.
    pub away_before: Timestamp,
    /// Those of whom nothing was heard since before then.
    pub silent_before: Timestamp,
}

impl Lost {
    /// Nobody is.
    pub const NOBODY: Lost = Lost { away_before: Timestamp(i64::MIN), silent_before: Timestamp(i64::MIN) };

    /// Whether this member, with this ticket, is lost.
    pub(super) fn is(&self, member: &MemberRow, ticket: &TicketRow) -> bool {
        member.away_since.is_some_and(|since| since < self.away_before) || ticket.seen_at < self.silent_before
    }
}

/// The user is not in the match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotInMatch;

impl Store {
    /// A match.
    pub async fn match_row(&self, id: MatchId) -> Result<Option<MatchRow>, StoreError> {
        Ok(self.match_rows(&[id]).await?.pop())
    }

    /// Matches by their ids, in that order; those that are not there are left out.
    pub async fn match_rows(&self, ids: &[MatchId]) -> Result<Vec<MatchRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let found = read::matches(&mut tx, ids).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Tickets of a match, in any order.
    pub async fn tickets_in(&self, id: MatchId) -> Result<Vec<TicketRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let mut found = Vec::new();
        if let Some(meeting) = read::matches(&mut tx, &[id]).await?.pop() {
            found = read::tickets(&mut tx, &tickets_of(&meeting)).await?;
        }
        tx.commit().await?;
        Ok(found)
    }

    /// A user confirms, for all who are on its ticket. When everybody has, the match stands and its tickets are matched,
    /// with `waited_ms`. Doing it again changes nothing. After `confirm_until` it is too late. `None` if there is no such
    /// match; a user who does not act for a ticket in it is an error.
    pub async fn confirm_match(
        &self,
        id: MatchId,
        user: &ParticipantId,
        now: Timestamp,
    ) -> Result<Option<Result<Confirming, NotInMatch>>, StoreError> {
        transact!(self.write_by_index(), |tx| {
            let Some(mut meeting) = hold_match(&mut tx, id).await? else { return Ok(None) };
            let Some(member) = meeting.members.iter_mut().find(|member| member.user == *user) else {
                return Ok(Some(Err(NotInMatch)));
            };
            let late = member.confirmed_at.is_none() && now > meeting.confirm_until;
            if meeting.state == MatchState::Over || late {
                return Ok(Some(Ok(Confirming::Over(meeting))));
            }
            if member.confirmed_at.is_none() {
                confirm(&mut tx, id, member, now).await?;
                if meeting.members.iter().all(|member| member.confirmed_at.is_some()) {
                    stand(&mut tx, &mut meeting, now).await?;
                }
            }
            Ok(Some(Ok(Confirming::Noted(meeting))))
        })
    }

    /// Ends a match once. One that is proposed fails: with [`MatchEnd::Unconfirmed`] those who have confirmed wait again,
    /// with any other end all but `by` do, ahead of others and since when they began to wait; the rest is over
    /// (`Unconfirmed`, `Declined`), but for a `by` that wants to wait again: it does so from now on, and not ahead. One that
    /// stands is over: tickets that are to wait again do so from now on, the others are over as `Played`. Members who have
    /// met, or of whom one has declined or blocked the others, stay apart until then. Tickets whose queue was deleted do not wait again: they are over as `QueueGone`. Nothing
    /// happens to a match that is over already, and one that stands does not end as unconfirmed; nor to one whose `by` was
    /// taken for lost, and is there again. Returns the match, and whether this call ended it; `None` if there is none. `by`
    /// may be anybody on a ticket.
    pub async fn end_match(
        &self,
        id: MatchId,
        ending: &Ending,
        now: Timestamp,
    ) -> Result<Option<(MatchRow, bool)>, StoreError> {
        transact!(self.write_by_index(), |tx| {
            let Some(mut meeting) = hold_match(&mut tx, id).await? else { return Ok(None) };
            let confirmed = meeting.state == MatchState::Standing && ending.end == MatchEnd::Unconfirmed;
            let another = ending.only.is_some_and(|state| state != meeting.state);
            if meeting.state == MatchState::Over || confirmed || another {
                return Ok(Some((meeting, false)));
            }
            let ended = end(&mut tx, &mut meeting, ending, now).await?;
            Ok(Some((meeting, ended)))
        })
    }

    /// Whoever wanted another partner, but came too late to end the match, waits again: if its ticket (the one that `user`
    /// acts for) was in this match last and is over as [`TicketEnd::Played`], its queue is there, and nobody of it is on
    /// another ticket, then it waits from now on, as if its own call had ended the match. Nothing happens otherwise, so
    /// doing it again changes nothing. Returns whether it did.
    pub async fn wait_again(
        &self,
        id: MatchId,
        user: &ParticipantId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        transact!(self.write_by_index(), |tx| {
            let Some(meeting) = read::matches(&mut tx, &[id]).await?.pop() else { return Ok(false) };
            let Some(member) = meeting.members.iter().find(|member| member.user == *user) else {
                return Ok(false);
            };
            if !hold_queue(&mut tx, &meeting.queue).await? {
                return Ok(false);
            }
            hold_tickets(&mut tx, &[member.ticket]).await?;
            let Some(ticket) = read::tickets(&mut tx, &[member.ticket]).await?.pop() else {
                return Ok(false);
            };
            let came_too_late = ticket.in_match == Some(id) && ticket.ended == Some(TicketEnd::Played);
            if !came_too_late || are_on_another(&mut tx, &ticket.wish).await? {
                return Ok(false);
            }
            wait_again(&mut tx, &[(ticket.id, now, false)], now).await?;
            write_users(&mut tx, &[ticket]).await?;
            Ok(true)
        })
    }
}

/// The tickets of a match.
pub(super) fn tickets_of(meeting: &MatchRow) -> Vec<TicketId> {
    meeting.members.iter().map(|member| member.ticket).collect()
}

async fn confirm(tx: &mut Tx, id: MatchId, member: &mut MemberRow, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE match_members SET confirmed_at = $1 WHERE match_id = $2 AND ticket = $3";
    tx.execute(tx.sql(sql).bind(now.0).bind(id.to_string()).bind(member.ticket.to_string())).await?;
    member.confirmed_at = Some(now);
    Ok(())
}

/// Everybody has confirmed.
pub(super) async fn stand(tx: &mut Tx, meeting: &mut MatchRow, now: Timestamp) -> Result<(), StoreError> {
    hold_tickets(tx, &tickets_of(meeting)).await?;
    let id = meeting.id.to_string();
    let sql = "UPDATE tickets SET state = 'matched', version = version + 1, changed_at = $1, \
               waited_ms = CASE WHEN since < $1 THEN $1 - since ELSE 0 END \
               WHERE id IN (SELECT ticket FROM match_members WHERE match_id = $2) \
               AND match_id = $2 AND state = 'proposed'";
    let matched = tx.execute(tx.sql(sql).bind(now.0).bind(id.clone())).await?;
    if matched != meeting.members.len() as u64 {
        return Err(StoreError::corrupt(format!("tickets of match {id} that are not in it")));
    }
    let sql = "UPDATE match_members SET waited_ms = (SELECT t.waited_ms FROM tickets AS t \
               WHERE t.id = match_members.ticket) WHERE match_id = $1";
    tx.execute(tx.sql(sql).bind(id.clone())).await?;
    let sql = "UPDATE matches SET state = 'standing', stood_at = $1, changed_at = $1 WHERE id = $2";
    tx.execute(tx.sql(sql).bind(now.0).bind(id)).await?;
    meeting.state = MatchState::Standing;
    meeting.changed_at = now;
    Ok(())
}
