//! What becomes of the tickets of a match that ends.

use super::life::{Ending, tickets_of};
use super::locks::{hold_queue, hold_tickets};
use super::read;
use super::rows::{MatchRow, MemberRow, TicketRow};
use super::tickets::end_tickets;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sized::{Sized, parts};
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchEnd, MatchState, TicketEnd, TicketId, TicketState};
use std::collections::BTreeMap;

/// The most users in a match who stay apart afterwards: with 64 there are 2,016 pairs of them. A larger match is no
/// meeting that somebody wants to be spared of.
const MOST_APART: usize = 64;

static WAIT: Sized = Sized::new(
    "UPDATE tickets SET state = 'waiting', ended = NULL, since = v.column2, ahead = v.column3, version = version + 1, \
     changed_at = v.column4 FROM (VALUES ",
    4,
    ") AS v WHERE tickets.id = v.column1",
);

static PART: Sized = Sized::new(
    "INSERT INTO match_partings (low, high, until) VALUES ",
    3,
    " ON CONFLICT (low, high) DO UPDATE SET until = excluded.until WHERE match_partings.until < excluded.until",
);

/// What becomes of a ticket.
enum Fate {
    Waits { since: Timestamp, ahead: bool },
    Over(TicketEnd),
}

/// Ends a match, which the transaction holds and which is not over. Returns whether it did: a match that would end because
/// a member is lost does not if that one is there again.
pub(super) async fn end(
    tx: &mut Tx,
    meeting: &mut MatchRow,
    ending: &Ending,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let ids = tickets_of(meeting);
    let has_queue = hold_queue(tx, &meeting.queue).await?;
    hold_tickets(tx, &ids).await?;
    let tickets: BTreeMap<_, _> =
        read::tickets(tx, &ids).await?.into_iter().map(|ticket| (ticket.id, ticket)).collect();
    if is_back(meeting, &tickets, ending) {
        return Ok(false);
    }
    let mut waits = Vec::new();
    let mut over: BTreeMap<&str, (TicketEnd, Vec<TicketId>)> = BTreeMap::new();
    for member in &meeting.members {
        let ticket = tickets.get(&member.ticket).filter(|ticket| ticket.in_match == Some(meeting.id));
        // Who has left a tournament may be in another match by now, or forgotten.
        if meeting.channel.is_some() && ticket.is_none_or(|ticket| ticket.state == TicketState::Over) {
            continue;
        }
        let ticket = ticket.ok_or_else(|| StoreError::corrupt("a match without its tickets"))?;
        match fate(meeting.state, member, ticket, ending, now) {
            Fate::Waits { since, ahead } if has_queue => waits.push((ticket.id, since, ahead)),
            Fate::Waits { .. } => add(&mut over, TicketEnd::QueueGone, ticket.id),
            Fate::Over(end) => add(&mut over, end, ticket.id),
        }
    }
    wait_again(tx, &waits, now).await?;
    for (end, ids) in over.values() {
        end_tickets(tx, ids, *end, now).await?;
    }
    let apart_until = ending.apart_until.filter(|_| have_met(meeting, ending));
    close(tx, meeting, ending, now).await?;
    part(tx, meeting, apart_until).await?;
    Ok(true)
}

/// Whether the member who is said to be lost is there.
fn is_back(meeting: &MatchRow, tickets: &BTreeMap<TicketId, TicketRow>, ending: &Ending) -> bool {
    let Some(by) = ending.by.as_ref().filter(|_| ending.end == MatchEnd::Disconnected) else { return false };
    let mut its = meeting.members.iter().filter(|member| users(member).any(|user| user == by));
    its.all(|member| tickets.get(&member.ticket).is_some_and(|ticket| !ending.lost.is(member, ticket)))
}

/// Whether its members know each other well enough to be kept apart: they have met, or one of them said no to the others.
/// A tournament is no meeting: whoever plays on plays whom it knows.
fn have_met(meeting: &MatchRow, ending: &Ending) -> bool {
    let said_no = matches!(ending.end, MatchEnd::Declined | MatchEnd::Blocked);
    meeting.channel.is_none() && (meeting.state == MatchState::Standing || said_no)
}

fn add(over: &mut BTreeMap<&str, (TicketEnd, Vec<TicketId>)>, end: TicketEnd, id: TicketId) {
    over.entry(end.as_str()).or_insert((end, Vec::new())).1.push(id);
}

fn fate(state: MatchState, member: &MemberRow, ticket: &TicketRow, ending: &Ending, now: Timestamp) -> Fate {
    let its_doing = ending.by.as_ref().is_some_and(|by| users(member).any(|user| user == by));
    let again = Fate::Waits { since: now, ahead: false };
    let let_down = Fate::Waits { since: ticket.since, ahead: true };
    if state == MatchState::Standing {
        let wants = match its_doing {
            true => ending.requeue,
            false => ticket.wish.requeue && !ending.lost.is(member, ticket),
        };
        return if wants { again } else { Fate::Over(TicketEnd::Played) };
    }
    match ending.end {
        MatchEnd::Unconfirmed if member.confirmed_at.is_some() => let_down,
        MatchEnd::Unconfirmed => Fate::Over(TicketEnd::Unconfirmed),
        _ if !its_doing => let_down,
        _ if ending.requeue => again,
        _ => Fate::Over(TicketEnd::Declined),
    }
}

fn users(member: &MemberRow) -> impl Iterator<Item = &ParticipantId> {
    std::iter::once(&member.user).chain(&member.party)
}

/// Lets tickets wait, which the transaction holds.
pub(super) async fn wait_again(
    tx: &mut Tx,
    waits: &[(TicketId, Timestamp, bool)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for part in parts(waits) {
        let query = part.iter().fold(WAIT.of(tx, part.len()), |query, (id, since, ahead)| {
            query.bind(id.to_string()).bind(since.0).bind(i64::from(*ahead)).bind(now.0)
        });
        tx.execute(query).await?;
    }
    Ok(())
}

async fn close(
    tx: &mut Tx,
    meeting: &mut MatchRow,
    ending: &Ending,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE matches SET state = 'over', ended = $1, ended_by = $2, changed_at = $3, settled = 0 \
               WHERE id = $4";
    let by = ending.by.as_ref().map(ParticipantId::to_string);
    let query = tx.sql(sql).bind(ending.end.as_str()).bind(by).bind(now.0).bind(meeting.id.to_string());
    tx.execute(query).await?;
    // Nobody is waited for any more; the index holds only those who are.
    let sql = "UPDATE match_members SET away_since = NULL WHERE match_id = $1 AND away_since IS NOT NULL";
    tx.execute(tx.sql(sql).bind(meeting.id.to_string())).await?;
    meeting.members.iter_mut().for_each(|member| member.away_since = None);
    meeting.state = MatchState::Over;
    meeting.ended = Some(ending.end);
    meeting.ended_by = ending.by.clone();
    meeting.changed_at = now;
    Ok(())
}

/// Keeps the members of a match apart: all but those who came together, and those of a tournament, who have not come to
/// meet somebody new.
async fn part(tx: &mut Tx, meeting: &MatchRow, until: Option<Timestamp>) -> Result<(), StoreError> {
    let Some(until) = until else { return Ok(()) };
    let all: Vec<_> =
        meeting.members.iter().flat_map(|member| users(member).map(|user| (member.ticket, user))).collect();
    if meeting.channel.is_some() || all.len() > MOST_APART {
        return Ok(());
    }
    let mut pairs = Vec::new();
    for (n, (ticket, one)) in all.iter().enumerate() {
        let others = all[..n].iter().filter(|(other, _)| other != ticket);
        pairs.extend(others.map(|(_, other)| (*one.min(other), *one.max(other))));
    }
    pairs.sort_unstable();
    for part in parts(&pairs) {
        let query = part.iter().fold(PART.of(tx, part.len()), |query, (low, high)| {
            query.bind(low.to_string()).bind(high.to_string()).bind(until.0)
        });
        tx.execute(query).await?;
    }
    Ok(())
}
