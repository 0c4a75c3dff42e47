//! Reading channels. Every change of them goes through `placing`.

use crate::batch;
use crate::db::{Store, Tx};
use crate::error::StoreError;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use arena_core::admission::Group;
use arena_core::channel::{Channel, ChannelKind, ChannelName, GroupName, Mode, Region, Seats, Status};
use arena_core::health::StateCounts;
use arena_core::{Metadata, Timestamp, WorldId};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;
use std::str::FromStr;

/// Which channels to list; `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelFilter {
    /// Of this kind.
    pub kind: Option<ChannelKind>,
    /// That are this now.
    pub status: Option<Status>,
    /// Bound to this region.
    pub region: Option<Region>,
    /// Shards of this group.
    pub group: Option<GroupName>,
}

/// A channel and where it is placed.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelRow {
    /// The channel.
    pub channel: Channel,
    /// Its current world, as far as is recorded.
    pub world: Option<WorldId>,
    /// The placement's epoch; 0 before its first world.
    pub epoch: i64,
}

const SEATS: &str = "c.name, c.group_name, c.shard, c.kind, c.region, c.mode, c.max_bots, c.bots, c.players";
const STATUS_IS: &str = "CASE WHEN c.mode <> 'ACTIVE' THEN c.mode WHEN c.bots + c.players >= c.max_bots THEN 'FULL' ELSE 'ACTIVE' END =";

impl Store {
    /// A page of channels by name.
    pub async fn channels(
        &self,
        filter: &ChannelFilter,
        page: &PageRequest,
    ) -> Result<Page<ChannelRow>, StoreError> {
        let mut tx = self.read().await?;
        let query = Listing::new(select())
            .compare("c.kind =", filter.kind.map(|kind| kind.as_str()))
            .compare(STATUS_IS, filter.status.map(|status| status.to_string()).as_deref())
            .compare("c.region =", filter.region.as_ref().map(Region::as_str))
            .compare("c.group_name =", filter.group.as_ref().map(GroupName::as_str))
            .compare("c.name >", page.cursor.as_deref())
            .page(&tx, "c.name", page);
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        let rows = rows.iter().map(channel_row).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page, |row| row.channel.seats.name.to_string()))
    }

    /// Every channel. For loops, not for requests.
    pub async fn all_channels(&self) -> Result<Vec<ChannelRow>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(tx.built(format!("{} ORDER BY c.name", select()))).await?;
        tx.commit().await?;
        rows.iter().map(channel_row).collect()
    }

    /// One channel.
    pub async fn channel(&self, name: &ChannelName) -> Result<Option<ChannelRow>, StoreError> {
        let mut tx = self.read().await?;
        let row = tx.row(tx.built(format!("{} WHERE c.name = $1", select())).bind(name.to_string())).await?;
        tx.commit().await?;
        row.as_ref().map(channel_row).transpose()
    }

    /// How many bots of each state every channel has. Channels without bots are not among them.
    pub async fn state_counts(&self) -> Result<BTreeMap<ChannelName, StateCounts>, StoreError> {
        let mut tx = self.read().await?;
        let sql =
            "SELECT channel, state, COUNT(*) FROM bots WHERE channel IS NOT NULL GROUP BY channel, state";
        let rows = tx.rows(tx.sql(sql)).await?;
        tx.commit().await?;
        let mut counts: BTreeMap<ChannelName, StateCounts> = BTreeMap::new();
        for row in &rows {
            let entry = counts.entry(parsed(row, 0)?).or_default();
            let count = u32::try_from(row.try_get::<i64, _>(2)?).map_err(StoreError::corrupt)?;
            match row.try_get::<String, _>(1)?.as_str() {
                "pending" => entry.pending = count,
                "deploying" => entry.deploying = count,
                "live" => entry.live = count,
                "backoff" => entry.backoff = count,
                "failed" => entry.failed = count,
                "disabled" => entry.disabled = count,
                other => return Err(StoreError::corrupt(format!("bot state {other}"))),
            }
        }
        Ok(counts)
    }

    /// Names of the channels whose counted seats differ from the bots and players that are there. Always empty unless somebody
    /// went around the triggers.
    pub async fn miscounted_channels(&self) -> Result<Vec<ChannelName>, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT c.name FROM channels c \
                   WHERE c.bots <> (SELECT COUNT(*) FROM bots b WHERE b.channel = c.name) \
                   OR c.players <> (SELECT COUNT(*) FROM players p WHERE p.channel = c.name) ORDER BY c.name";
        let rows = tx.rows(tx.sql(sql)).await?;
        tx.commit().await?;
        rows.iter().map(|row| parsed(row, 0)).collect()
    }
}

fn select() -> String {
    format!(
        "SELECT {SEATS}, c.metadata, c.created_at, c.updated_at, p.world, COALESCE(p.epoch, 0) \
         FROM channels c LEFT JOIN placements p ON p.channel = c.name"
    )
}

/// The seats of every channel, or of those that are named and exist.
pub(crate) async fn seats(tx: &mut Tx, named: Option<&[String]>) -> Result<Vec<Seats>, StoreError> {
    let Some(names) = named else {
        let rows = tx.rows(tx.built(format!("SELECT {SEATS} FROM channels c"))).await?;
        return rows.iter().map(seats_row).collect();
    };
    let mut seats = Vec::new();
    for chunk in names.chunks(batch::rows_per_statement(1, 0)) {
        let sql = format!("SELECT {SEATS} FROM channels c WHERE c.name IN {}", batch::list(chunk.len(), 0));
        let query = chunk.iter().fold(tx.built(sql), |query, name| query.bind(name.clone()));
        for row in tx.rows(query).await? {
            seats.push(seats_row(&row)?);
        }
    }
    Ok(seats)
}

/// Every group.
pub(crate) async fn groups(tx: &mut Tx) -> Result<Vec<Group>, StoreError> {
    let rows = tx.rows(tx.sql("SELECT name, kind, region, next_shard FROM channel_groups")).await?;
    let group = |row: &AnyRow| {
        Ok(Group {
            name: parsed(row, 0)?,
            kind: parsed(row, 1)?,
            region: parsed_option(row, 2)?,
            next_shard: number(row, 3)?,
        })
    };
    rows.iter().map(group).collect()
}

/// Inserts groups, or raises the numbers of those that exist.
pub(crate) async fn save_groups(tx: &mut Tx, groups: &[Group]) -> Result<(), StoreError> {
    for chunk in groups.chunks(batch::rows_per_statement(4, 0)) {
        let mut query = tx.built(format!(
            "INSERT INTO channel_groups (name, kind, region, next_shard) VALUES {} ON CONFLICT (name) DO UPDATE SET \
             kind = excluded.kind, region = excluded.region, next_shard = excluded.next_shard",
            batch::tuples(chunk.len(), 4, 0)
        ));
        for group in chunk {
            let region = group.region.as_ref().map(Region::to_string);
            query = query.bind(group.name.to_string()).bind(group.kind.as_str()).bind(region);
            query = query.bind(i64::from(group.next_shard));
        }
        tx.execute(query).await?;
    }
    Ok(())
}

/// Inserts channels, without bots and players; the triggers count them in.
pub(crate) async fn insert(tx: &mut Tx, channels: &[Seats], now: Timestamp) -> Result<(), StoreError> {
    for chunk in channels.chunks(batch::rows_per_statement(9, 1)) {
        let mut query = tx.built(format!(
            "INSERT INTO channels (name, group_name, shard, kind, region, mode, max_bots, metadata, created_at, updated_at) \
             SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9, $1 FROM (VALUES {}) AS v",
            batch::tuples(chunk.len(), 9, 1)
        ));
        query = query.bind(now.0);
        for seats in chunk {
            query = query
                .bind(seats.name.to_string())
                .bind(seats.group.to_string())
                .bind(i64::from(seats.name.split().1))
                .bind(seats.kind.as_str())
                .bind(seats.region.as_ref().map(Region::to_string))
                .bind(seats.mode.as_str())
                .bind(i64::from(seats.max_bots))
                .bind("{}")
                .bind(now.0);
        }
        tx.execute(query).await?;
    }
    Ok(())
}

/// Writes modes and limits.
pub(crate) async fn update(tx: &mut Tx, channels: &[Seats], now: Timestamp) -> Result<(), StoreError> {
    for seats in channels {
        let query = tx
            .sql("UPDATE channels SET mode = $1, max_bots = $2, updated_at = $3 WHERE name = $4")
            .bind(seats.mode.as_str())
            .bind(i64::from(seats.max_bots))
            .bind(now.0)
            .bind(seats.name.to_string());
        tx.execute(query).await?;
    }
    Ok(())
}

/// Replaces a channel's metadata.
pub(crate) async fn set_metadata(
    tx: &mut Tx,
    channel: Option<&ChannelName>,
    metadata: &Metadata,
) -> Result<(), StoreError> {
    let Some(channel) = channel else { return Ok(()) };
    let update = tx.sql("UPDATE channels SET metadata = $1 WHERE name = $2");
    tx.execute(update.bind(metadata.to_json()).bind(channel.to_string())).await?;
    Ok(())
}

/// Deletes channels; the placement stays, because its epoch must go on rising.
pub(crate) async fn delete(tx: &mut Tx, channels: &[ChannelName]) -> Result<(), StoreError> {
    for name in channels {
        tx.execute(tx.sql("DELETE FROM channels WHERE name = $1").bind(name.to_string())).await?;
        tx.execute(tx.sql("DELETE FROM positions WHERE channel = $1").bind(name.to_string())).await?;
        let forget = tx.sql("UPDATE placements SET world = NULL, epoch = epoch + 1 WHERE channel = $1");
        tx.execute(forget.bind(name.to_string())).await?;
    }
    Ok(())
}

fn channel_row(row: &AnyRow) -> Result<ChannelRow, StoreError> {
    let metadata: String = row.try_get(9)?;
    let channel = Channel {
        seats: seats_row(row)?,
        metadata: Metadata::from_json(&metadata).map_err(StoreError::corrupt)?,
        created_at: Timestamp(row.try_get(10)?),
        updated_at: Timestamp(row.try_get(11)?),
    };
    Ok(ChannelRow { channel, world: parsed_option(row, 12)?, epoch: row.try_get(13)? })
}

fn seats_row(row: &AnyRow) -> Result<Seats, StoreError> {
    Ok(Seats {
        name: parsed(row, 0)?,
        group: parsed(row, 1)?,
        kind: parsed(row, 3)?,
        region: parsed_option(row, 4)?,
        mode: parsed::<Mode>(row, 5)?,
        max_bots: number(row, 6)?,
        bots: number(row, 7)?,
        players: number(row, 8)?,
    })
}

/// A text column that parses.
pub(crate) fn parsed<T: FromStr<Err: std::fmt::Display>>(
    row: &AnyRow,
    column: usize,
) -> Result<T, StoreError> {
    row.try_get::<&str, _>(column)?.parse().map_err(StoreError::corrupt)
}

/// A nullable text column that parses.
pub(crate) fn parsed_option<T: FromStr<Err: std::fmt::Display>>(
    row: &AnyRow,
    column: usize,
) -> Result<Option<T>, StoreError> {
    let text = row.try_get::<Option<&str>, _>(column)?;
    text.map(|text| text.parse().map_err(StoreError::corrupt)).transpose()
}

/// An integer column that fits.
pub(crate) fn number<T: TryFrom<i64, Error: std::fmt::Display>>(
    row: &AnyRow,
    column: usize,
) -> Result<T, StoreError> {
    row.try_get::<i64, _>(column)?.try_into().map_err(StoreError::corrupt)
}
