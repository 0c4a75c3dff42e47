//! Players' seats: reading them, and how firmly each is held. Taking and freeing seats by request goes through
//! `placing`, as every change of a channel's load does; what has expired is freed here.

use crate::activity::{self, ActivityDraft};
use crate::batch;
use crate::channels::parsed;
use crate::db::{Store, Tx, transact};
use crate::error::StoreError;
use crate::listing::Listing;
use crate::now;
use crate::page::{Page, PageRequest};
use crate::placing::Actor;
use crate::text::storable;
use arena_core::channel::ChannelName;
use arena_core::player::{NewPlayer, Player, PlayerState};
use arena_core::{PlayerId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// Which players to list; `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlayerFilter {
    /// In this channel.
    pub channel: Option<ChannelName>,
}

/// What came of a session's wish to hold a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seating {
    /// It holds the seat: the player as it is now, and the older session that held the seat until now.
    Held(Player, Option<u64>),
    /// A newer session holds it.
    Outdated,
    /// There is no such seat, or not any more.
    Lapsed,
}

const COLUMNS: &str = "id, channel, user_id, name, state, session, epoch, expires_at, created_at, changed_at";

impl Store {
    /// A page of players by id, oldest reservation first.
    pub async fn players(
        &self,
        filter: &PlayerFilter,
        page: &PageRequest,
    ) -> Result<Page<Player>, StoreError> {
        let mut tx = self.read().await?;
        let query = Listing::new(format!("SELECT {COLUMNS} FROM players"))
            .compare("channel =", filter.channel.as_ref().map(ChannelName::as_str))
            .compare("id >", page.cursor.as_deref())
            .page(&tx, "id", page);
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        let rows = rows.iter().map(player_row).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page, |player| player.id.to_string()))
    }

    /// One player.
    pub async fn player(&self, id: PlayerId) -> Result<Option<Player>, StoreError> {
        let mut tx = self.read().await?;
        let player = read(&mut tx, id).await?;
        tx.commit().await?;
        Ok(player)
    }

    /// The players of a channel that have entered and so have a body in its world.
    pub async fn players_with_bodies(&self, channel: &ChannelName) -> Result<Vec<Player>, StoreError> {
        let mut tx = self.read().await?;
        let sql =
            format!("SELECT {COLUMNS} FROM players WHERE channel = $1 AND state <> 'reserved' ORDER BY id");
        let rows = tx.rows(tx.built(sql).bind(channel.to_string())).await?;
        tx.commit().await?;
        rows.iter().map(player_row).collect()
    }

    /// Gives a player's seat in a channel to a session at the moment `at`, and the body the next epoch. A session takes
    /// the seat from one of a lower number and never from one of a higher.
    pub async fn seat_player(
        &self,
        id: PlayerId,
        channel: &ChannelName,
        session: u64,
        at: Timestamp,
    ) -> Result<Seating, StoreError> {
        let fence = fence(session)?;
        transact!(self.write(), |tx| {
            let Some(mut player) = read(&mut tx, id).await? else { return Ok(Seating::Lapsed) };
            let lapsed = player.state.expires_at().is_some_and(|until| until <= at);
            if lapsed || player.channel != *channel {
                return Ok(Seating::Lapsed);
            }
            let before = player.state.session().filter(|other| *other != session);
            if before.is_some_and(|other| other > session) {
                return Ok(Seating::Outdated);
            }
            let sql = "UPDATE players SET state = 'seated', session = $1, expires_at = NULL, epoch = epoch + 1, \
                       changed_at = $2 WHERE id = $3 AND epoch = $4 AND (expires_at IS NULL OR expires_at > $2)";
            let query = tx.sql(sql).bind(fence).bind(at.0).bind(id.to_string()).bind(player.epoch);
            if tx.execute(query).await? == 0 {
                // Somebody else entered, or the seat was freed, since it was read: look again.
                return Err(StoreError::Contended);
            }
            player.state = PlayerState::Seated { session };
            player.epoch += 1;
            player.changed_at = at;
            Ok(Seating::Held(player, before))
        })
    }

    /// Notes that a session has left its seat, which is kept until `until`. Returns whether the session held it.
    pub async fn leave_seat(&self, id: PlayerId, session: u64, until: Timestamp) -> Result<bool, StoreError> {
        let fence = fence(session)?;
        let changed = transact!(self.write(), |tx| {
            let sql = "UPDATE players SET state = 'away', expires_at = $1, changed_at = $2 \
                       WHERE id = $3 AND state = 'seated' AND session = $4";
            let query = tx.sql(sql).bind(until.0).bind(now().0).bind(id.to_string()).bind(fence);
            tx.execute(query).await
        })?;
        Ok(changed > 0)
    }

    /// The same for every seat that a session holds: for a start, when the sessions are gone. Returns how many.
    pub async fn leave_all_seats(&self, until: Timestamp) -> Result<u64, StoreError> {
        transact!(self.write(), |tx| {
            let sql =
                "UPDATE players SET state = 'away', expires_at = $1, changed_at = $2 WHERE state = 'seated'";
            tx.execute(tx.sql(sql).bind(until.0).bind(now().0)).await
        })
    }

    /// Frees the seats that nobody came for, and that nobody came back to, until `at`. Returns whose they were, and
    /// where.
    pub async fn free_expired_seats(
        &self,
        at: Timestamp,
    ) -> Result<Vec<(PlayerId, ChannelName)>, StoreError> {
        // Mostly there is none, and then nobody is kept from the lock.
        if !self.has_expired_seats(at).await? {
            return Ok(Vec::new());
        }
        transact!(self.write_placements(), |tx| {
            let sql = "DELETE FROM players WHERE expires_at <= $1 RETURNING id, channel";
            let rows = tx.rows(tx.sql(sql).bind(at.0)).await?;
            let freed = |row: &AnyRow| Ok((parsed(row, 0)?, parsed(row, 1)?));
            let freed: Vec<_> = rows.iter().map(freed).collect::<Result<_, StoreError>>()?;
            let log: Vec<_> =
                freed.iter().map(|(id, at)| draft(&Actor::system(), "player.lapsed", *id, at)).collect();
            activity::insert(&mut tx, &log, now()).await?;
            Ok(freed)
        })
    }

    async fn has_expired_seats(&self, at: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.read().await?;
        let row = tx.row(tx.sql("SELECT id FROM players WHERE expires_at <= $1 LIMIT 1").bind(at.0)).await?;
        tx.commit().await?;
        Ok(row.is_some())
    }
}

/// What the activity log says of a player.
pub(crate) fn draft(
    actor: &Actor,
    action: &'static str,
    player: PlayerId,
    channel: &ChannelName,
) -> ActivityDraft {
    ActivityDraft {
        actor: actor.clone(),
        action,
        bot: None,
        channel: Some(channel.clone()),
        detail: serde_json::json!({ "player": player }),
    }
}

/// The seats that admission decides by: those that `condition` names, with its values bound.
pub(crate) async fn seats_where(
    tx: &mut Tx,
    condition: &str,
    values: &[String],
) -> Result<Vec<(PlayerId, ChannelName)>, StoreError> {
    let sql = format!("SELECT id, channel FROM players WHERE {condition}");
    let query = values.iter().fold(tx.built(sql), |query, value| query.bind(value.clone()));
    tx.rows(query).await?.iter().map(|row| Ok((parsed(row, 0)?, parsed(row, 1)?))).collect()
}

/// How many seats these users have; who has none may be missing.
pub(crate) async fn count_of_users(tx: &mut Tx, users: &[String]) -> Result<Vec<(String, u32)>, StoreError> {
    let mut found = Vec::new();
    for chunk in users.chunks(batch::rows_per_statement(1, 0)) {
        let sql = format!(
            "SELECT user_id, COUNT(*) FROM players WHERE user_id IN {} GROUP BY user_id",
            batch::list(chunk.len(), 0)
        );
        let query = chunk.iter().fold(tx.built(sql), |query, user| query.bind(storable(user)));
        for row in tx.rows(query).await? {
            found.push((row.try_get(0)?, u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or(u32::MAX)));
        }
    }
    Ok(found)
}

/// Frees seats. Returns the sessions that held some of them until now.
pub(crate) async fn delete(tx: &mut Tx, players: &[PlayerId]) -> Result<BTreeMap<PlayerId, u64>, StoreError> {
    let mut held = BTreeMap::new();
    for chunk in players.chunks(batch::rows_per_statement(1, 0)) {
        let list = batch::list(chunk.len(), 0);
        let sql = format!("DELETE FROM players WHERE id IN {list} RETURNING {COLUMNS}");
        let query = chunk.iter().fold(tx.built(sql), |query, player| query.bind(player.to_string()));
        for row in tx.rows(query).await? {
            let player = player_row(&row)?;
            held.extend(player.state.session().map(|session| (player.id, session)));
        }
    }
    Ok(held)
}

/// Takes reserved seats.
pub(crate) async fn insert(
    tx: &mut Tx,
    players: &[(NewPlayer, ChannelName)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in players.chunks(batch::rows_per_statement(5, 1)) {
        let mut query = tx.built(format!(
            "INSERT INTO players (id, channel, user_id, name, state, epoch, expires_at, created_at, changed_at) \
             SELECT column1, column2, column3, column4, 'reserved', 0, column5, $1, $1 FROM (VALUES {}) AS v",
            batch::tuples(chunk.len(), 5, 1)
        ));
        query = query.bind(now.0);
        for (player, channel) in chunk {
            query = query
                .bind(player.id.to_string())
                .bind(channel.to_string())
                .bind(storable(&player.user))
                .bind(storable(&player.name))
                .bind(player.expires_at.0);
        }
        tx.execute(query).await?;
    }
    Ok(())
}

async fn read(tx: &mut Tx, id: PlayerId) -> Result<Option<Player>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM players WHERE id = $1");
    let row = tx.row(tx.built(sql).bind(id.to_string())).await?;
    row.as_ref().map(player_row).transpose()
}

/// A session as the database stores it.
fn fence(session: u64) -> Result<i64, StoreError> {
    i64::try_from(session).map_err(|_| StoreError::Database(format!("session {session} is too large")))
}

fn player_row(row: &AnyRow) -> Result<Player, StoreError> {
    let until = || Ok::<_, StoreError>(Timestamp(row.try_get::<Option<i64>, _>(7)?.unwrap_or_default()));
    let state = match row.try_get::<&str, _>(4)? {
        "reserved" => PlayerState::Reserved { until: until()? },
        "away" => PlayerState::Away { until: until()? },
        "seated" => {
            let session = row.try_get::<Option<i64>, _>(5)?.unwrap_or_default();
            PlayerState::Seated { session: u64::try_from(session).map_err(StoreError::corrupt)? }
        }
        other => return Err(StoreError::corrupt(format!("player state {other}"))),
    };
    Ok(Player {
        id: parsed(row, 0)?,
        channel: parsed(row, 1)?,
        user: row.try_get(2)?,
        name: row.try_get(3)?,
        state,
        epoch: row.try_get(6)?,
        created_at: Timestamp(row.try_get(8)?),
        changed_at: Timestamp(row.try_get(9)?),
    })
}
