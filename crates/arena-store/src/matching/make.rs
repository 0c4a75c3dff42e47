//! The transaction that makes matches: tickets are claimed, the match, its conversation and its members written.

use crate::channels::parsed;
use crate::conversations::{self, BatchError, ConversationRow, LogRow};
use crate::db::{Dialect, Store, Tx, transact};
use crate::error::StoreError;
use crate::sized::{Sized, padded, parts};
use arena_core::Timestamp;
use arena_core::channel::ChannelName;
use arena_core::conversation::ConversationId;
use arena_core::matching::{MatchId, QueueName, TicketId};
use std::collections::BTreeSet;

/// A match that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchDraft {
    /// Its new id.
    pub id: MatchId,
    /// Which tickets, with the versions that were read, by team.
    pub teams: Vec<Vec<(TicketId, i64)>>,
    /// How well they go together, 0 to 100.
    pub quality: u32,
    /// Until when everybody has to confirm.
    pub confirm_until: Timestamp,
    /// Its conversation, which is new.
    pub conversation: ConversationRow,
    /// The first entries of its log, from 1 without gaps: as many as `conversation.position` says. Whoever adds to the
    /// log finds it as long as the row says that it is.
    pub log: Vec<LogRow>,
}

static FREE: Sized = Sized::new(
    "SELECT t.id FROM (VALUES ",
    3,
    ") AS v JOIN tickets AS t ON t.id = v.column1 AND t.version = v.column2 AND t.queue = v.column3 \
     WHERE t.state = 'waiting'",
);

static FREE_AND_HELD: Sized = Sized::new(
    "SELECT t.id FROM (VALUES ",
    3,
    ") AS v JOIN tickets AS t ON t.id = v.column1 AND t.version = v.column2 AND t.queue = v.column3 \
     WHERE t.state = 'waiting' ORDER BY t.id FOR NO KEY UPDATE OF t",
);

static CLAIM: Sized = Sized::new(
    "UPDATE tickets SET state = 'proposed', match_id = v.column2, waited_ms = NULL, version = version + 1, \
     changed_at = v.column3 FROM (VALUES ",
    3,
    ") AS v WHERE tickets.id = v.column1",
);

static MATCHES: Sized = Sized::new(
    "INSERT INTO matches (id, queue, conversation, channel, quality, made_at, confirm_until, changed_at, state, \
     settled) SELECT column1, column2, column3, column4, column5, column6, column7, column6, 'proposed', 1 \
     FROM (VALUES ",
    7,
    ") AS v",
);

static MEMBERS: Sized = Sized::new(
    "INSERT INTO match_members (match_id, ticket, team, user_id, kind, name, party) \
     SELECT v.column1, t.id, v.column3, t.user_id, t.kind, t.name, t.party FROM (VALUES ",
    3,
    ") AS v JOIN tickets AS t ON t.id = v.column2",
);

/// A match that is about to be written. Its tickets are claimed.
pub(super) struct NewMatch<'a> {
    pub(super) id: MatchId,
    pub(super) teams: Vec<Vec<TicketId>>,
    pub(super) conversation: Option<&'a ConversationId>,
    pub(super) channel: Option<&'a ChannelName>,
    pub(super) quality: u32,
    pub(super) confirm_until: Timestamp,
}

impl Store {
    /// Makes matches of a queue in one transaction: a draft is made if every ticket of it waits still, in the version that
    /// was read; the others are left out, and harm nobody. Returns those that were made, in the order of the drafts. With a
    /// conversation's id or key that is [taken](StoreError::Taken) none is.
    pub async fn make_matches(
        &self,
        queue: &QueueName,
        drafts: &[MatchDraft],
        now: Timestamp,
    ) -> Result<Vec<MatchId>, StoreError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        transact!(self.write_conversation_rows(false), |tx| {
            let wanted: Vec<_> =
                drafts.iter().flat_map(|draft| draft.teams.iter().flatten().copied()).collect();
            let mut free = hold_free(&mut tx, queue, wanted).await?;
            let whole: Vec<_> = drafts.iter().filter(|draft| take(&mut free, &draft.teams)).collect();
            let talks = whole.iter().map(|draft| &draft.conversation).collect();
            conversations::create(&mut tx, talks).await.map_err(not_written)?;
            let log = whole.iter().flat_map(|draft| &draft.log).collect();
            conversations::append(&mut tx, log).await.map_err(not_written)?;
            let new: Vec<_> = whole.iter().map(|draft| new_match(draft)).collect();
            write(&mut tx, queue, &new, now).await?;
            Ok(whole.iter().map(|draft| draft.id).collect())
        })
    }
}

/// Those of the tickets that wait in this version; the transaction holds them.
pub(super) async fn hold_free(
    tx: &mut Tx,
    queue: &QueueName,
    mut wanted: Vec<(TicketId, i64)>,
) -> Result<BTreeSet<TicketId>, StoreError> {
    let statement = match tx.dialect() {
        Dialect::Sqlite => &FREE,
        Dialect::Postgres => &FREE_AND_HELD,
    };
    wanted.sort_unstable();
    let mut free = BTreeSet::new();
    for part in padded(&wanted) {
        let query = part.iter().fold(statement.of(tx, part.len()), |query, (id, version)| {
            query.bind(id.to_string()).bind(*version).bind(queue.to_string())
        });
        for row in tx.rows(query).await? {
            free.insert(parsed(&row, 0)?);
        }
    }
    Ok(free)
}

/// Takes a draft's tickets out of those that are free, if all of them are there.
fn take(free: &mut BTreeSet<TicketId>, teams: &[Vec<(TicketId, i64)>]) -> bool {
    let tickets: Vec<_> = teams.iter().flatten().map(|(id, _)| *id).collect();
    let distinct: BTreeSet<_> = tickets.iter().collect();
    let whole = distinct.len() == tickets.len() && tickets.iter().all(|id| free.contains(id));
    if whole {
        tickets.iter().for_each(|id| {
            free.remove(id);
        });
    }
    whole && !tickets.is_empty()
}

fn new_match(draft: &MatchDraft) -> NewMatch<'_> {
    NewMatch {
        id: draft.id,
        teams: draft.teams.iter().map(|team| team.iter().map(|(id, _)| *id).collect()).collect(),
        conversation: Some(&draft.conversation.id),
        channel: None,
        quality: draft.quality,
        confirm_until: draft.confirm_until,
    }
}

/// Writes matches that are proposed, and claims their tickets, which the transaction holds.
pub(super) async fn write(
    tx: &mut Tx,
    queue: &QueueName,
    new: &[NewMatch<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    for part in parts(new) {
        let query = part.iter().fold(MATCHES.of(tx, part.len()), |query, new| {
            query
                .bind(new.id.to_string())
                .bind(queue.to_string())
                .bind(new.conversation.map(ConversationId::to_string))
                .bind(new.channel.map(ChannelName::to_string))
                .bind(i64::from(new.quality))
                .bind(now.0)
                .bind(new.confirm_until.0)
        });
        tx.execute(query).await?;
    }
    let teams = new.iter().flat_map(|new| new.teams.iter().zip(0_i64..).map(|(team, n)| (new.id, team, n)));
    let mut members: Vec<_> =
        teams.flat_map(|(id, team, n)| team.iter().map(move |ticket| (*ticket, id, n))).collect();
    members.sort_unstable();
    write_members(tx, &members, now).await
}

async fn write_members(
    tx: &mut Tx,
    members: &[(TicketId, MatchId, i64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for part in parts(members) {
        let query = part.iter().fold(CLAIM.of(tx, part.len()), |query, (ticket, id, _)| {
            query.bind(ticket.to_string()).bind(id.to_string()).bind(now.0)
        });
        let claimed = tx.execute(query).await?;
        let query = part.iter().fold(MEMBERS.of(tx, part.len()), |query, (ticket, id, team)| {
            query.bind(id.to_string()).bind(ticket.to_string()).bind(*team)
        });
        let written = tx.execute(query).await?;
        if claimed != part.len() as u64 || written != part.len() as u64 {
            return Err(StoreError::corrupt("tickets that are held have changed"));
        }
    }
    Ok(())
}

/// Nobody else draws these ids and keys, but a process that draws from the same lane; the same ones again would do no better.
fn not_written(error: BatchError) -> StoreError {
    match error {
        BatchError::Store(error) => error,
        BatchError::IdTaken(id) => StoreError::Taken(format!("conversation {id}")),
        BatchError::Stale => StoreError::Taken("the key of a conversation".to_owned()),
        BatchError::Repeated => StoreError::Contended,
    }
}
