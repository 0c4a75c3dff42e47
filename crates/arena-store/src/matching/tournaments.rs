//! Tournaments: the transaction that begins one, its games, and who leaves before the end.

use super::life::stand;
use super::locks::{hold_match, hold_tickets};
use super::make::{NewMatch, hold_free, write};
use super::read;
use super::rows::{MatchRow, TicketRow};
use super::sweep::ids;
use super::tickets::end_tickets;
use crate::activity;
use crate::batch;
use crate::bots;
use crate::channels;
use crate::db::{Store, Tx, transact};
use crate::error::{OpError, StoreError};
use crate::placing::{self, Actor, Order};
use arena_core::admission::{AdmitError, Applied, Board, Needs, Op, Want};
use arena_core::channel::{ChannelKind, ChannelName, Region};
use arena_core::matching::{MatchId, QueueName, TicketEnd, TicketId, TicketState};
use arena_core::player::NewPlayer;
use arena_core::{BotId, Metadata, PlayerId, Timestamp};
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A tournament that is to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct TournamentDraft {
    /// Its new id.
    pub id: MatchId,
    /// Which tickets, with the versions that were read, in the order of its entrants.
    pub tickets: Vec<(TicketId, i64)>,
    /// The tournament as JSON.
    pub state: String,
    /// The region of its channel.
    pub region: Option<Region>,
    /// How well they go together, 0 to 100.
    pub quality: u32,
    /// Until when seats of players are kept who have not entered.
    pub seats_until: Timestamp,
}

/// A tournament that has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct TournamentBegun {
    /// Its match.
    pub row: MatchRow,
    /// Channels that have something to sync now: its own, and those that its bots come from.
    pub touched: BTreeSet<ChannelName>,
}

/// What has come of a tournament that was to begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Beginning {
    /// It has begun.
    Begun(Box<TournamentBegun>),
    /// A ticket was claimed by another meanwhile, or is over: nothing is done.
    Claimed,
    /// These can get no seat, and why. Their tickets are over as [`TicketEnd::NoSeat`]; the others wait on.
    Unseated(Vec<(TicketId, AdmitError)>),
}

/// Why nobody, or who of the entrants, can be seated.
enum Unseated {
    All(AdmitError),
    These(Vec<(TicketId, AdmitError)>),
}

/// What is done to seat everybody, in order, with what came of it.
type Done = Vec<(Order, Applied)>;

impl Store {
    /// Begins a tournament in one transaction: tickets are claimed, a TOURNAMENT channel is opened with as many seats, and
    /// each entrant gets one: a user that is the id of a bot of ours moves there, others have a player's seat reserved.
    /// Nobody has to confirm. Whatever is refused to one entrant, nothing is done for any but that the ticket of that one
    /// ends: it must not keep the others waiting for ever.
    pub async fn make_tournament(
        &self,
        queue: &QueueName,
        draft: &TournamentDraft,
        now: Timestamp,
    ) -> Result<Beginning, OpError> {
        let outcome = transact!(self.write_placements(), |tx| {
            let Some(entrants) = claimable(&mut tx, queue, draft).await? else {
                return Ok(Ok(Beginning::Claimed));
            };
            let ours = ours(&mut tx, &entrants).await?;
            let mut board = placing::board(&mut tx, self, needs(&entrants, &ours), None).await?;
            let (channel, done) = match seat_all(&mut board, draft, &entrants, &ours) {
                Ok(seated) => seated,
                Err(Unseated::All(refused)) => return Ok(Err(refused)),
                Err(Unseated::These(refused)) => {
                    let ids: Vec<TicketId> = refused.iter().map(|(id, _)| *id).collect();
                    end_tickets(&mut tx, &ids, TicketEnd::NoSeat, now).await?;
                    return Ok(Ok(Beginning::Unseated(refused)));
                }
            };
            placing::write(&mut tx, board.into_changes(), now).await?;
            channels::set_metadata(&mut tx, Some(&channel), &metadata(queue, draft)?).await?;
            let log = done.iter().flat_map(|(order, applied)| placing::drafts(order, Some(applied)));
            activity::insert(&mut tx, &log.collect::<Vec<_>>(), now).await?;
            let row = write_match(&mut tx, queue, draft, &channel, now).await?;
            let touched = done.iter().flat_map(|(_, applied)| applied.touched()).cloned().collect();
            Ok(Ok(Beginning::Begun(Box::new(TournamentBegun { row, touched }))))
        })?;
        Ok(outcome?)
    }

    /// A tournament as JSON, with its version.
    pub async fn tournament(&self, id: MatchId) -> Result<Option<(String, i64)>, StoreError> {
        let mut tx = self.read().await?;
        let query = tx.sql("SELECT state, version FROM tournaments WHERE match_id = $1").bind(id.to_string());
        let row = tx.row(query).await?;
        tx.commit().await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
    }

    /// Tournaments that stand, in the order of their ids, after this one.
    pub async fn standing_tournaments(
        &self,
        after: Option<MatchId>,
        limit: u32,
    ) -> Result<Vec<MatchId>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let sql = "SELECT id FROM matches WHERE state = 'standing' AND channel IS NOT NULL AND id > $1 \
                   ORDER BY id LIMIT $2";
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let rows = tx.rows(tx.sql(sql).bind(after).bind(i64::from(limit))).await?;
        tx.commit().await?;
        ids(&rows)
    }

    /// Writes a tournament that was read in this version. `false` if another was faster: read again.
    pub async fn write_tournament(
        &self,
        id: MatchId,
        version: i64,
        state: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        transact!(self.write(), |tx| {
            let sql = "UPDATE tournaments SET state = $1, version = version + 1, changed_at = $2 \
                       WHERE match_id = $3 AND version = $4";
            let query = tx.sql(sql).bind(state.to_owned()).bind(now.0).bind(id.to_string()).bind(version);
            Ok(tx.execute(query).await? == 1)
        })
    }

    /// Ends the ticket of somebody who has left a match that stands and goes on without. Returns whether this call did.
    pub async fn leave_match(
        &self,
        id: MatchId,
        ticket: TicketId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        transact!(self.write(), |tx| {
            if hold_match(&mut tx, id).await?.is_none() {
                return Ok(false);
            }
            hold_tickets(&mut tx, &[ticket]).await?;
            let found = read::tickets(&mut tx, &[ticket]).await?.pop();
            let is_in = |row: &TicketRow| row.in_match == Some(id) && row.state == TicketState::Matched;
            if !found.as_ref().is_some_and(is_in) {
                return Ok(false);
            }
            end_tickets(&mut tx, &[ticket], TicketEnd::Played, now).await?;
            Ok(true)
        })
    }
}

/// The tickets in the draft's order, if all of them wait in these versions; the transaction holds them.
async fn claimable(
    tx: &mut Tx,
    queue: &QueueName,
    draft: &TournamentDraft,
) -> Result<Option<Vec<TicketRow>>, StoreError> {
    let ids: Vec<TicketId> = draft.tickets.iter().map(|(id, _)| *id).collect();
    let free = hold_free(tx, queue, draft.tickets.clone()).await?;
    if free.len() != ids.len() {
        return Ok(None);
    }
    let rows = read::tickets(tx, &ids).await?;
    let mut rows: BTreeMap<TicketId, TicketRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(ids.iter().map(|id| rows.remove(id)).collect())
}

/// Which of them are bots of ours.
async fn ours(tx: &mut Tx, entrants: &[TicketRow]) -> Result<BTreeSet<BotId>, StoreError> {
    let ids: Vec<String> = entrants.iter().filter_map(bot_id).map(|bot: BotId| bot.to_string()).collect();
    let mut found = BTreeSet::new();
    for chunk in ids.chunks(batch::rows_per_statement(1, 0)) {
        let seats = bots::seats_where(tx, &format!("id IN {}", batch::list(chunk.len(), 0)), chunk).await?;
        found.extend(seats.into_iter().map(|(bot, _)| bot));
    }
    Ok(found)
}

/// The bot that a user would be.
fn bot_id(entrant: &TicketRow) -> Option<BotId> {
    let user = entrant.wish.user.as_str();
    // Ids are written in one way only.
    Uuid::parse_str(user).ok().map(BotId).filter(|bot| bot.to_string() == user)
}

fn needs(entrants: &[TicketRow], ours: &BTreeSet<BotId>) -> Needs {
    Needs {
        bots: ours.iter().copied().collect(),
        users: entrants.iter().map(|entrant| entrant.wish.user.to_string()).collect(),
        ..Needs::default()
    }
}

/// Opens a channel with as many seats, and gives everybody one. Everybody is tried, so that all who can have none are known
/// at once.
fn seat_all(
    board: &mut Board,
    draft: &TournamentDraft,
    entrants: &[TicketRow],
    ours: &BTreeSet<BotId>,
) -> Result<(ChannelName, Done), Unseated> {
    let actor = Actor::system();
    let mut done = Done::new();
    let mut apply = |op: Op| {
        let applied = board.apply(&op)?;
        done.push((Order::new(&actor, op), applied.clone()));
        Ok::<_, AdmitError>(applied)
    };
    let seats = u32::try_from(entrants.len()).unwrap_or(u32::MAX);
    let open = Op::Open {
        name: None,
        kind: ChannelKind::Tournament,
        region: draft.region.clone(),
        max_bots: Some(seats),
    };
    let opened = apply(open).map_err(Unseated::All)?.opened;
    let channel = opened.into_iter().next().expect("invariant: an applied Open has opened a channel");
    let mut refused = Vec::new();
    for entrant in entrants {
        let bot = bot_id(entrant).filter(|bot| ours.contains(bot));
        let seated = apply(match bot {
            Some(bot) => Op::Assign { bot, channel: channel.clone() },
            None => Op::Reserve { player: player(entrant, draft), want: Want::ByName(channel.clone()) },
        });
        refused.extend(seated.err().map(|error| (entrant.id, error)));
    }
    if refused.is_empty() { Ok((channel, done)) } else { Err(Unseated::These(refused)) }
}

fn player(entrant: &TicketRow, draft: &TournamentDraft) -> NewPlayer {
    let user = entrant.wish.user.to_string();
    let name = entrant.wish.name.clone().unwrap_or_else(|| user.clone());
    let name = name.chars().take(NewPlayer::MAX_NAME).collect();
    NewPlayer { id: PlayerId(Uuid::now_v7()), user, name, expires_at: draft.seats_until }
}

/// What the channel says of itself.
fn metadata(queue: &QueueName, draft: &TournamentDraft) -> Result<Metadata, StoreError> {
    let says = serde_json::json!({ "tournament": draft.id, "queue": queue });
    Metadata::from_json(&says.to_string()).map_err(StoreError::corrupt)
}

/// Writes the match, which stands at once, and its tournament.
async fn write_match(
    tx: &mut Tx,
    queue: &QueueName,
    draft: &TournamentDraft,
    channel: &ChannelName,
    now: Timestamp,
) -> Result<MatchRow, StoreError> {
    let new = NewMatch {
        id: draft.id,
        teams: draft.tickets.iter().map(|(ticket, _)| vec![*ticket]).collect(),
        conversation: None,
        channel: Some(channel),
        quality: draft.quality,
        confirm_until: now,
    };
    write(tx, queue, &[new], now).await?;
    let id = draft.id.to_string();
    let query = tx.sql("UPDATE match_members SET confirmed_at = $1 WHERE match_id = $2");
    tx.execute(query.bind(now.0).bind(id.clone())).await?;
    let query =
        tx.sql("INSERT INTO tournaments (match_id, state, version, changed_at) VALUES ($1, $2, 1, $3)");
    tx.execute(query.bind(id).bind(draft.state.clone()).bind(now.0)).await?;
    let gone = || StoreError::corrupt("a match that was just written is not there");
    let mut row = read::matches(tx, &[draft.id]).await?.pop().ok_or_else(gone)?;
    stand(tx, &mut row, now).await?;
    Ok(row)
}
