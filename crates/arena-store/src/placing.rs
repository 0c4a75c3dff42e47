//! Carrying out operations on who lives where: load the board under the placement lock, apply, write the difference,
//! all in one transaction.

use crate::activity::{self, ActivityDraft};
use crate::batch;
use crate::bots::{self, Enrolled, NewBot};
use crate::channels;
use crate::db::{Store, Tx, transact};
use crate::error::{OpError, StoreError};
use crate::now;
use crate::players;
use arena_core::admission::{AdmitError, Applied, Board, BotSeat, Changes, Move, Needs, Newcomer, Op, Want};
use arena_core::channel::{ChannelName, Mode};
use arena_core::{BotId, Metadata, ParseIdError, PlayerId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use uuid::Uuid;

/// Who asks for something, for the activity log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    /// One to 64 visible characters.
    pub fn parse(text: &str) -> Result<Actor, ParseIdError> {
        let fits =
            (1..=64).contains(&text.chars().count()) && !text.chars().any(|c| c.is_control() || c == ' ');
        if fits {
            Ok(Actor(text.to_owned()))
        } else {
            Err(ParseIdError::new("actor (1-64 visible characters)", text))
        }
    }

    /// Arena itself: its loops.
    pub fn system() -> Actor {
        Actor("arena".to_owned())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An operation and who asked for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Who.
    pub actor: Actor,
    /// What.
    pub op: Op,
    /// Metadata for the channel that the operation opens or configures; `None` leaves it.
    pub metadata: Option<Metadata>,
}

impl Order {
    /// An order that leaves metadata alone.
    pub fn new(actor: &Actor, op: Op) -> Order {
        Order { actor: actor.clone(), op, metadata: None }
    }
}

impl Store {
    /// Carries out one order in a transaction of its own.
    pub async fn carry_out(&self, actor: &Actor, op: Op) -> Result<Applied, OpError> {
        let order = Order::new(actor, op);
        let outcome = self.carry_out_all(std::slice::from_ref(&order)).await?.pop();
        Ok(outcome.ok_or_else(|| StoreError::corrupt("no outcome"))??)
    }

    /// Carries out orders in one transaction. Each is applied whole or refused by itself; an error of the database
    /// undoes them all. Only batchable operations may share a transaction with others.
    pub async fn carry_out_all(
        &self,
        orders: &[Order],
    ) -> Result<Vec<Result<Applied, AdmitError>>, StoreError> {
        debug_assert!(orders.len() == 1 || orders.iter().all(|order| order.op.is_batchable()));
        transact!(self.write_placements(), |tx| {
            let mut board = load(&mut tx, self, orders).await?;
            let mut outcomes: Vec<_> = orders.iter().map(|order| board.apply(&order.op)).collect();
            let now = now();
            let held = write(&mut tx, board.into_changes(), now).await?;
            for applied in outcomes.iter_mut().flatten() {
                let unseated = |(player, _): &(PlayerId, _)| Some((*player, *held.get(player)?));
                applied.unseated = applied.vacated.iter().filter_map(unseated).collect();
            }
            for (order, outcome) in orders.iter().zip(&outcomes) {
                if let (Some(metadata), Ok(applied)) = (&order.metadata, outcome) {
                    channels::set_metadata(&mut tx, channel_of(&order.op, applied), metadata).await?;
                }
            }
            let log = orders
                .iter()
                .zip(&outcomes)
                .flat_map(|(order, outcome)| drafts(order, outcome.as_ref().ok()));
            activity::insert(&mut tx, &log.collect::<Vec<_>>(), now).await?;
            Ok(outcomes)
        })
    }

    /// Stores the bots whose names are new, each in a channel, in one transaction.
    pub async fn enroll(&self, actor: &Actor, roster: &[NewBot]) -> Result<Enrolled, OpError> {
        let outcome = transact!(self.write_placements(), |tx| {
            let fresh = fresh(&mut tx, roster).await?;
            let mut board = load(&mut tx, self, &[]).await?;
            let op = Op::Enroll { bots: fresh.iter().map(|(id, bot)| newcomer(*id, bot)).collect() };
            let applied = match board.apply(&op) {
                Ok(applied) => applied,
                Err(refused) => return Ok(Err(refused)),
            };
            let now = now();
            let changes = board.into_changes();
            let placed: BTreeMap<_, _> = changes.enrolled.iter().cloned().collect();
            write(&mut tx, changes, now).await?;
            let rows: Vec<_> =
                fresh.iter().filter_map(|(id, bot)| Some((*id, *bot, placed.get(id)?.clone()))).collect();
            bots::insert(&mut tx, &rows, now).await?;
            let order = Order::new(actor, op);
            activity::insert(&mut tx, &drafts(&order, Some(&applied)), now).await?;
            let created = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            let existing = u32::try_from(roster.len() - rows.len()).unwrap_or(u32::MAX);
            let touched: BTreeSet<ChannelName> = placed.into_values().collect();
            let touched = touched.into_iter().collect();
            Ok(Ok(Enrolled { created, existing, opened: applied.opened, touched }))
        })?;
        Ok(outcome?)
    }
}

/// The channel that an operation opens or configures.
fn channel_of<'a>(op: &'a Op, applied: &'a Applied) -> Option<&'a ChannelName> {
    match op {
        Op::Configure { channel, .. } => Some(channel),
        Op::Open { .. } => applied.opened.first(),
        _ => None,
    }
}

/// The bots of a roster whose names are not taken, each once, with a new id.
async fn fresh<'a>(tx: &mut Tx, roster: &'a [NewBot]) -> Result<Vec<(BotId, &'a NewBot)>, StoreError> {
    let names: Vec<&str> = roster.iter().map(|bot| bot.profile.name.as_str()).collect();
    let mut seen = bots::taken_names(tx, &names).await?;
    let is_new = roster.iter().filter(|bot| seen.insert(bot.profile.name.clone()));
    Ok(is_new.map(|bot| (BotId(Uuid::now_v7()), bot)).collect())
}

fn newcomer(bot: BotId, new: &NewBot) -> Newcomer {
    Newcomer { bot, kind: new.profile.kind, region: new.profile.region.clone(), channel: new.channel.clone() }
}

async fn load(tx: &mut Tx, store: &Store, orders: &[Order]) -> Result<Board, StoreError> {
    let mut needs = Needs::default();
    orders.iter().for_each(|order| order.op.needs(&mut needs));
    board(tx, store, needs, named_channels(orders)).await
}

/// A board of all channels, with what these operations look at besides; of the named channels only, if they are named.
pub(crate) async fn board(
    tx: &mut Tx,
    store: &Store,
    needs: Needs,
    only: Option<Vec<String>>,
) -> Result<Board, StoreError> {
    let players = load_players(tx, &needs).await?;
    let limited = store.rules().max_seats_per_user > 0;
    let users = if limited { players::count_of_users(tx, &needs.users).await? } else { Vec::new() };
    let bots = load_bots(tx, needs).await?;
    if let Some(names) = only {
        let channels = channels::seats(tx, Some(&names)).await?;
        return Ok(Board::new(store.rules(), [], channels, bots).with_players(players).with_seats_of(users));
    }
    let groups = channels::groups(tx).await?;
    let channels = channels::seats(tx, None).await?;
    Ok(Board::new(store.rules(), groups, channels, bots).with_players(players).with_seats_of(users))
}

/// The only channels that these orders look at, unless one of them looks for a channel or opens one. Saves loading
/// thousands of channels to fill one seat.
fn named_channels(orders: &[Order]) -> Option<Vec<String>> {
    let mut names = BTreeSet::new();
    for order in orders {
        match &order.op {
            Op::Assign { channel, .. } => names.extend([channel]),
            Op::Remove { from, .. } => names.extend(from),
            Op::Migrate { from, to, .. } => names.extend([from, to]),
            Op::Reserve { want: Want::ByName(channel), .. } => names.extend([channel]),
            // Where the seat was is not looked at, only counted out.
            Op::Vacate { .. } => {}
            Op::Configure { channel, mode: None | Some(Mode::Active | Mode::Maintenance), .. } => {
                names.extend([channel]);
            }
            _ => return None,
        }
    }
    (!orders.is_empty()).then(|| names.into_iter().map(ChannelName::to_string).collect())
}

async fn load_players(tx: &mut Tx, needs: &Needs) -> Result<Vec<(PlayerId, ChannelName)>, StoreError> {
    let mut found = Vec::new();
    let ids: Vec<String> = needs.players.iter().map(PlayerId::to_string).collect();
    for chunk in ids.chunks(batch::rows_per_statement(1, 0)) {
        let condition = format!("id IN {}", batch::list(chunk.len(), 0));
        found.extend(players::seats_where(tx, &condition, chunk).await?);
    }
    for channel in &needs.players_in {
        found.extend(players::seats_where(tx, "channel = $1", &[channel.to_string()]).await?);
    }
    Ok(found)
}

async fn load_bots(tx: &mut Tx, needs: Needs) -> Result<Vec<(BotId, BotSeat)>, StoreError> {
    if needs.everything {
        return bots::seats_where(tx, "channel IS NOT NULL", &[]).await;
    }
    let mut found = Vec::new();
    let ids: Vec<String> = needs.bots.iter().map(BotId::to_string).collect();
    for chunk in ids.chunks(batch::rows_per_statement(1, 0)) {
        found.extend(bots::seats_where(tx, &format!("id IN {}", batch::list(chunk.len(), 0)), chunk).await?);
    }
    for channel in needs.channels {
        found.extend(bots::seats_where(tx, "channel = $1", &[channel.to_string()]).await?);
    }
    for group in needs.groups {
        let condition = "channel IN (SELECT name FROM channels WHERE group_name = $1)";
        found.extend(bots::seats_where(tx, condition, &[group.to_string()]).await?);
    }
    Ok(found)
}

/// Writes what changed, in the order that never overfills on the way: out of old channels before into new ones. Returns
/// the sessions that held the seats of players who lost theirs.
pub(crate) async fn write(
    tx: &mut Tx,
    changes: Changes,
    now: Timestamp,
) -> Result<BTreeMap<PlayerId, u64>, StoreError> {
    channels::save_groups(tx, &changes.groups).await?;
    channels::insert(tx, &changes.opened, now).await?;
    let leaving: Vec<BotId> = changes.moves.iter().filter(|m| m.from.is_some()).map(|m| m.bot).collect();
    vacate(tx, &leaving, now).await?;
    let held = players::delete(tx, &changes.vacated).await?;
    channels::update(tx, &changes.updated, now).await?;
    occupy(tx, &changes.moves, now).await?;
    players::insert(tx, &changes.reserved, now).await?;
    channels::delete(tx, &changes.closed).await?;
    Ok(held)
}

/// Takes bots out of their channels. They want none until `occupy` gives them one.
async fn vacate(tx: &mut Tx, bots: &[BotId], now: Timestamp) -> Result<(), StoreError> {
    for chunk in bots.chunks(batch::rows_per_statement(1, 1)) {
        let sql = format!(
            "UPDATE bots SET channel = NULL, wants_channel = 0, epoch = epoch + 1, {AFRESH} WHERE id IN {}",
            batch::list(chunk.len(), 1)
        );
        let query = chunk.iter().fold(tx.built(sql).bind(now.0), |query, bot| query.bind(bot.to_string()));
        tx.execute(query).await?;
    }
    Ok(())
}

/// Puts bots into their new channels; what they tried before counts no more.
async fn occupy(tx: &mut Tx, moves: &[Move], now: Timestamp) -> Result<(), StoreError> {
    let arriving: Vec<(BotId, &ChannelName)> =
        moves.iter().filter_map(|m| Some((m.bot, m.to.as_ref()?))).collect();
    for chunk in arriving.chunks(batch::rows_per_statement(2, 1)) {
        let sql = format!(
            "UPDATE bots SET channel = v.column2, wants_channel = 1, epoch = epoch + 1, {AFRESH} \
             FROM (VALUES {}) AS v WHERE bots.id = v.column1",
            batch::tuples(chunk.len(), 2, 1)
        );
        let mut query = tx.built(sql).bind(now.0);
        for (bot, channel) in chunk {
            query = query.bind(bot.to_string()).bind(channel.to_string());
        }
        tx.execute(query).await?;
    }
    Ok(())
}

const AFRESH: &str = "state = CASE WHEN state = 'disabled' THEN 'disabled' ELSE 'pending' END, attempt = 0, \
                      retry_at = NULL, reason = NULL, changed_at = $1";

/// What the activity log says of an order that was carried out.
pub(crate) fn drafts(order: &Order, applied: Option<&Applied>) -> Vec<ActivityDraft> {
    let Some(applied) = applied else { return Vec::new() };
    let draft = |action: &'static str, bot, channel: Option<&ChannelName>, detail| ActivityDraft {
        actor: order.actor.clone(),
        action,
        bot,
        channel: channel.cloned(),
        detail,
    };
    let mut log = Vec::new();
    for name in &applied.opened {
        log.push(draft("channel.opened", None, Some(name), serde_json::json!({})));
    }
    if let Op::Configure { channel, max_bots, mode } = &order.op {
        let detail = serde_json::json!({ "max_bots": max_bots, "mode": mode.map(Mode::as_str) });
        log.push(draft("channel.configured", None, Some(channel), detail));
    }
    let enrolled: BTreeSet<BotId> = match &order.op {
        Op::Enroll { bots } => bots.iter().map(|newcomer| newcomer.bot).collect(),
        _ => BTreeSet::new(),
    };
    for moved in &applied.moves {
        let action = match (&moved.from, &moved.to) {
            _ if enrolled.contains(&moved.bot) => "bot.created",
            (Some(_), Some(_)) => "bot.moved",
            (_, None) => "bot.removed",
            (None, Some(_)) => "bot.assigned",
        };
        let channel = moved.to.as_ref().or(moved.from.as_ref());
        let from = moved.from.as_ref().map(|from| serde_json::json!({ "from": from.as_str() }));
        log.push(draft(action, Some(moved.bot), channel, from.unwrap_or(serde_json::json!({}))));
    }
    if let Some((player, channel)) = &applied.reserved {
        log.push(players::draft(&order.actor, "player.reserved", *player, channel));
    }
    for (player, channel) in &applied.vacated {
        log.push(players::draft(&order.actor, "player.vacated", *player, channel));
    }
    if let Some(closed) = &applied.closed {
        log.push(draft("channel.closed", None, Some(closed), serde_json::json!({})));
    }
    log
}
