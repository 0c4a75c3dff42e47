//! Making tickets, many in one transaction.

use super::locks::hold_queue;
use super::read;
use super::rows::TicketRow;
use super::tickets::{NewTicket, TicketError};
use crate::channels::parsed;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sized::{Sized, padded, parts};
use crate::text::storable;
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{QueueName, TicketId, TicketState, Wish};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

static TICKETS: Sized = Sized::new(
    "INSERT INTO tickets (id, queue, user_id, kind, name, party, wish, state, version, since, ahead, seen_at, \
     created_at, changed_at) SELECT column1, column2, column3, column4, column5, column6, column7, 'waiting', 1, \
     column8, 0, column8, column8, column8 FROM (VALUES ",
    8,
    ") AS v WHERE 1 = 1 ON CONFLICT (id) DO NOTHING",
);

static USERS: Sized =
    Sized::new("INSERT INTO ticket_users (user_id, ticket) VALUES ", 2, " ON CONFLICT (user_id) DO NOTHING");

static ON: Sized = Sized::new("SELECT user_id, ticket FROM ticket_users WHERE user_id IN (VALUES ", 1, ")");

/// What decides over new tickets.
struct Known {
    queues: BTreeSet<QueueName>,
    tickets: HashMap<TicketId, TicketRow>,
    users: HashMap<ParticipantId, TicketId>,
}

/// Makes those that may be made. What was looked up may have changed until it is written: then nothing is, and the
/// transaction is tried again.
pub(super) async fn create(
    tx: &mut Tx,
    tickets: &[NewTicket],
    now: Timestamp,
) -> Result<Vec<Result<TicketRow, TicketError>>, StoreError> {
    let mut known = look_up(tx, tickets).await?;
    let mut made = Vec::new();
    let outcomes = tickets
        .iter()
        .map(|new| {
            let (ticket, fresh) = known.take(new, now)?;
            if fresh {
                made.push(ticket.clone());
            }
            Ok(ticket)
        })
        .collect();
    made.sort_unstable_by_key(|ticket| ticket.id);
    write_tickets(tx, &made).await?;
    write_users(tx, &made).await?;
    Ok(outcomes)
}

impl Known {
    /// The ticket, and whether it is new.
    fn take(&mut self, new: &NewTicket, now: Timestamp) -> Result<(TicketRow, bool), TicketError> {
        if let Some(ticket) = self.tickets.get(&new.id) {
            let same = ticket.queue == new.queue && *ticket.wish == new.wish;
            return if same { Ok((ticket.clone(), false)) } else { Err(TicketError::IdTaken(new.id)) };
        }
        if !self.queues.contains(&new.queue) {
            return Err(TicketError::NoQueue(new.queue.clone()));
        }
        if let Some((user, ticket)) = new.wish.users().find_map(|user| self.users.get_key_value(user)) {
            return Err(TicketError::OnAnother { user: user.clone(), ticket: *ticket });
        }
        self.users.extend(new.wish.users().map(|user| (user.clone(), new.id)));
        let ticket = row(new, now);
        self.tickets.insert(new.id, ticket.clone());
        Ok((ticket, true))
    }
}

fn row(new: &NewTicket, now: Timestamp) -> TicketRow {
    TicketRow {
        id: new.id,
        queue: new.queue.clone(),
        wish: Arc::new(new.wish.clone()),
        state: TicketState::Waiting,
        ended: None,
        version: 1,
        since: now,
        ahead: false,
        seen_at: now,
        in_match: None,
        waited_ms: None,
        created_at: now,
        changed_at: now,
    }
}

async fn look_up(tx: &mut Tx, tickets: &[NewTicket]) -> Result<Known, StoreError> {
    let mut queues: BTreeSet<_> = tickets.iter().map(|new| new.queue.clone()).collect();
    for queue in queues.clone() {
        if !hold_queue(tx, &queue).await? {
            queues.remove(&queue);
        }
    }
    // Users first: whoever is on a ticket by then is on one that is found right after it, if it is asked for again.
    let on = tickets_of_users(tx, tickets.iter().flat_map(|new| new.wish.users()).collect()).await?;
    let ids: Vec<_> = tickets.iter().map(|new| new.id).collect();
    let found = read::tickets(tx, &ids).await?;
    Ok(Known { queues, tickets: found.into_iter().map(|ticket| (ticket.id, ticket)).collect(), users: on })
}

async fn tickets_of_users(
    tx: &mut Tx,
    users: Vec<&ParticipantId>,
) -> Result<HashMap<ParticipantId, TicketId>, StoreError> {
    let mut on = HashMap::new();
    for part in padded(&users) {
        let query = part.iter().fold(ON.of(tx, part.len()), |query, user| query.bind(user.to_string()));
        for row in tx.rows(query).await? {
            on.insert(parsed(&row, 0)?, parsed(&row, 1)?);
        }
    }
    Ok(on)
}

/// Whether anybody of these is on a ticket that is not over.
pub(super) async fn are_on_another(tx: &mut Tx, wish: &Wish) -> Result<bool, StoreError> {
    Ok(!tickets_of_users(tx, wish.users().collect()).await?.is_empty())
}

async fn write_tickets(tx: &mut Tx, made: &[TicketRow]) -> Result<(), StoreError> {
    for part in parts(made) {
        let mut query = TICKETS.of(tx, part.len());
        for ticket in part {
            let wish = &ticket.wish;
            query = query
                .bind(ticket.id.to_string())
                .bind(ticket.queue.to_string())
                .bind(wish.user.to_string())
                .bind(wish.kind.as_str())
                .bind(wish.name.as_deref().map(storable))
                .bind(party(&wish.party)?)
                .bind(serde_json::to_string(&**wish).map_err(StoreError::corrupt)?)
                .bind(ticket.since.0);
        }
        all_new(tx.execute(query).await?, part.len())?;
    }
    Ok(())
}

/// Puts users on their tickets.
pub(super) async fn write_users(tx: &mut Tx, made: &[TicketRow]) -> Result<(), StoreError> {
    let on = made.iter().flat_map(|ticket| ticket.wish.users().map(|user| (user, ticket.id)));
    let users: Vec<_> = on.collect::<BTreeMap<_, _>>().into_iter().collect();
    for part in parts(&users) {
        let query = part.iter().fold(USERS.of(tx, part.len()), |query, (user, ticket)| {
            query.bind(user.to_string()).bind(ticket.to_string())
        });
        all_new(tx.execute(query).await?, part.len())?;
    }
    Ok(())
}

/// Another was faster if not.
fn all_new(written: u64, wanted: usize) -> Result<(), StoreError> {
    if written == wanted as u64 { Ok(()) } else { Err(StoreError::Contended) }
}

/// Who comes along, as JSON; nothing for most.
fn party(party: &[ParticipantId]) -> Result<Option<String>, StoreError> {
    if party.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(party).map(Some).map_err(StoreError::corrupt)
}
