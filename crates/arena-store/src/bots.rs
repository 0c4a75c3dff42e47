//! Reading bots, storing new ones, and what an operator does to a single one.

use crate::batch;
use crate::channels::{number, parsed, parsed_option};
use crate::db::{Store, Tx, transact};
use crate::error::StoreError;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::text::{after_prefix, storable};
use arena_core::admission::BotSeat;
use arena_core::bot::{Bot, BotState, Profile};
use arena_core::channel::{ChannelKind, ChannelName, Region};
use arena_core::{BotId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, BTreeSet};

/// A bot to create: who it is, and the channel its roster names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBot {
    /// Who it is.
    pub profile: Profile,
    /// Where it wants to live; without it, or if that channel takes nobody in, a channel of its kind is found.
    pub channel: Option<ChannelName>,
}

/// What became of a roster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enrolled {
    /// Bots that were created.
    pub created: u32,
    /// Bots that existed by that name and were left as they are.
    pub existing: u32,
    /// Channels that were opened for them.
    pub opened: Vec<ChannelName>,
    /// Channels that they were assigned to.
    pub touched: Vec<ChannelName>,
}

/// Where a bot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelRef {
    /// In this channel.
    In(ChannelName),
    /// In none.
    Nowhere,
}

/// Which bots to list; `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BotFilter {
    /// Where they are.
    pub channel: Option<ChannelRef>,
    /// Their state's name.
    pub state: Option<String>,
    /// The kind of channel they want.
    pub kind: Option<ChannelKind>,
    /// Their region.
    pub region: Option<Region>,
    /// What their name begins with.
    pub name_prefix: Option<String>,
}

const COLUMNS: &str = "id, name, persona, traits, home_zone, region, kind, channel, epoch, state, attempt, retry_at, \
                       reason, world, created_at, changed_at";

impl Store {
    /// A page of bots by name.
    pub async fn bots(&self, filter: &BotFilter, page: &PageRequest) -> Result<Page<Bot>, StoreError> {
        let within = match &filter.channel {
            Some(ChannelRef::In(name)) => Some(name.as_str()),
            Some(ChannelRef::Nowhere) | None => None,
        };
        let prefix = filter.name_prefix.as_deref().map(storable);
        let mut tx = self.read().await?;
        let query = Listing::new(format!("SELECT {COLUMNS} FROM bots"))
            .compare("channel =", within)
            .when(filter.channel == Some(ChannelRef::Nowhere), "channel IS NULL")
            .compare("state =", filter.state.as_deref())
            .compare("kind =", filter.kind.map(|kind| kind.as_str()))
            .compare("region =", filter.region.as_ref().map(Region::as_str))
            .compare("name >=", prefix.as_deref())
            .compare("name <", prefix.as_deref().and_then(after_prefix).as_deref())
            .compare("name >", page.cursor.as_deref())
            .page(&tx, "name", page);
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        let rows = rows.iter().map(bot_row).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page, |bot| bot.profile.name.clone()))
    }

    /// One bot.
    pub async fn bot(&self, id: BotId) -> Result<Option<Bot>, StoreError> {
        self.bot_where("id", id.to_string()).await
    }

    /// One bot by its name.
    pub async fn bot_named(&self, name: &str) -> Result<Option<Bot>, StoreError> {
        self.bot_where("name", storable(name)).await
    }

    async fn bot_where(&self, column: &'static str, value: String) -> Result<Option<Bot>, StoreError> {
        let mut tx = self.read().await?;
        let row =
            tx.row(tx.built(format!("SELECT {COLUMNS} FROM bots WHERE {column} = $1")).bind(value)).await?;
        tx.commit().await?;
        row.as_ref().map(bot_row).transpose()
    }

    /// The bots of these ids that exist.
    pub async fn bots_by_id(&self, ids: &[BotId]) -> Result<BTreeMap<BotId, Bot>, StoreError> {
        let mut tx = self.read().await?;
        let mut bots = BTreeMap::new();
        for chunk in ids.chunks(batch::rows_per_statement(1, 0)) {
            let sql = format!("SELECT {COLUMNS} FROM bots WHERE id IN {}", batch::list(chunk.len(), 0));
            let query = chunk.iter().fold(tx.built(sql), |query, id| query.bind(id.to_string()));
            for row in tx.rows(query).await? {
                let bot = bot_row(&row)?;
                bots.insert(bot.id, bot);
            }
        }
        tx.commit().await?;
        Ok(bots)
    }

    /// Every bot assigned to a channel, by id.
    pub async fn bots_in(&self, channel: &ChannelName) -> Result<Vec<Bot>, StoreError> {
        let mut tx = self.read().await?;
        let sql = format!("SELECT {COLUMNS} FROM bots WHERE channel = $1 ORDER BY id");
        let rows = tx.rows(tx.built(sql).bind(channel.to_string())).await?;
        tx.commit().await?;
        rows.iter().map(bot_row).collect()
    }

    /// Bots that want a channel and have none, at most `limit`.
    pub async fn orphans(&self, limit: u32) -> Result<Vec<BotId>, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT id FROM bots WHERE channel IS NULL AND wants_channel = 1 ORDER BY id LIMIT $1";
        let rows = tx.rows(tx.sql(sql).bind(i64::from(limit))).await?;
        tx.commit().await?;
        rows.iter().map(|row| parsed(row, 0)).collect()
    }

    /// How many bots there are, and how many of them are live.
    pub async fn bot_totals(&self) -> Result<(u64, u64), StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT COUNT(*), COUNT(CASE WHEN state = 'live' THEN 1 END) FROM bots";
        let row = tx.row(tx.sql(sql)).await?.ok_or_else(|| StoreError::corrupt("no count"))?;
        tx.commit().await?;
        Ok((number(&row, 0)?, number(&row, 1)?))
    }

    /// Takes a bot out of the worlds, or lets it back in; its attempts start afresh. `None` if there is no such bot.
    pub async fn set_enabled(&self, id: BotId, enabled: bool) -> Result<Option<Bot>, StoreError> {
        let state = if enabled { "pending" } else { "disabled" };
        // An enabled bot that is enabled again stays as it is.
        let unless = if enabled { "state = 'disabled'" } else { "state <> 'disabled'" };
        self.restart_where(id, state, unless).await
    }

    /// Starts a bot's attempts afresh, unless it is live or disabled. `None` if there is no such bot.
    pub async fn retry(&self, id: BotId) -> Result<Option<Bot>, StoreError> {
        self.restart_where(id, "pending", "state IN ('backoff', 'failed', 'pending', 'deploying')").await
    }

    async fn restart_where(
        &self,
        id: BotId,
        state: &'static str,
        condition: &'static str,
    ) -> Result<Option<Bot>, StoreError> {
        transact!(self.write(), |tx| {
            let sql = format!(
                "UPDATE bots SET state = $1, attempt = 0, retry_at = NULL, reason = NULL, epoch = epoch + 1, \
                 changed_at = $2 WHERE id = $3 AND {condition}"
            );
            tx.execute(tx.built(sql).bind(state).bind(crate::now().0).bind(id.to_string())).await
        })?;
        self.bot(id).await
    }

    /// Starts the attempts of every bot of a channel afresh that is in back-off or failed. Returns how many.
    pub async fn retry_channel(&self, channel: &ChannelName) -> Result<u64, StoreError> {
        transact!(self.write(), |tx| {
            let sql = "UPDATE bots SET state = 'pending', attempt = 0, retry_at = NULL, reason = NULL, \
                       epoch = epoch + 1, changed_at = $1 WHERE channel = $2 AND state IN ('backoff', 'failed')";
            tx.execute(tx.sql(sql).bind(crate::now().0).bind(channel.to_string())).await
        })
    }

    /// Deletes a bot. Returns what it was.
    pub async fn delete_bot(&self, id: BotId) -> Result<Option<Bot>, StoreError> {
        transact!(self.write_placements(), |tx| {
            let sql = format!("SELECT {COLUMNS} FROM bots WHERE id = $1");
            let row = tx.row(tx.built(sql).bind(id.to_string())).await?;
            tx.execute(tx.sql("DELETE FROM bots WHERE id = $1").bind(id.to_string())).await?;
            row.as_ref().map(bot_row).transpose()
        })
    }
}

/// Which of these names are taken.
pub(crate) async fn taken_names(tx: &mut Tx, names: &[&str]) -> Result<BTreeSet<String>, StoreError> {
    let mut taken = BTreeSet::new();
    for chunk in names.chunks(batch::rows_per_statement(1, 0)) {
        let sql = format!("SELECT name FROM bots WHERE name IN {}", batch::list(chunk.len(), 0));
        let query = chunk.iter().fold(tx.built(sql), |query, name| query.bind((*name).to_owned()));
        for row in tx.rows(query).await? {
            taken.insert(row.try_get::<String, _>(0)?);
        }
    }
    Ok(taken)
}

/// Inserts bots, each into its channel.
pub(crate) async fn insert(
    tx: &mut Tx,
    bots: &[(BotId, &NewBot, ChannelName)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in bots.chunks(batch::rows_per_statement(8, 1)) {
        let mut query = tx.built(format!(
            "INSERT INTO bots (id, name, persona, traits, home_zone, region, kind, channel, wants_channel, epoch, state, \
             attempt, created_at, changed_at) SELECT column1, column2, column3, column4, column5, column6, column7, \
             column8, 1, 1, 'pending', 0, $1, $1 FROM (VALUES {}) AS v",
            batch::tuples(chunk.len(), 8, 1)
        ));
        query = query.bind(now.0);
        for (id, bot, channel) in chunk {
            let profile = &bot.profile;
            query = query
                .bind(id.to_string())
                .bind(profile.name.clone())
                .bind(profile.persona.clone())
                .bind(serde_json::Value::from(profile.traits.clone()).to_string())
                .bind(profile.home_zone.clone())
                .bind(profile.region.as_ref().map(Region::to_string))
                .bind(profile.kind.as_str())
                .bind(channel.to_string());
        }
        tx.execute(query).await?;
    }
    Ok(())
}

/// The part of bots that admission decides by: those that `condition` names, with its values bound.
pub(crate) async fn seats_where(
    tx: &mut Tx,
    condition: &str,
    values: &[String],
) -> Result<Vec<(BotId, BotSeat)>, StoreError> {
    let sql = format!("SELECT id, kind, region, channel FROM bots WHERE {condition}");
    let query = values.iter().fold(tx.built(sql), |query, value| query.bind(value.clone()));
    let rows = tx.rows(query).await?;
    let seat = |row: &AnyRow| {
        let seat = BotSeat {
            kind: parsed(row, 1)?,
            region: parsed_option(row, 2)?,
            channel: parsed_option(row, 3)?,
        };
        Ok((parsed(row, 0)?, seat))
    };
    rows.iter().map(seat).collect()
}

fn bot_row(row: &AnyRow) -> Result<Bot, StoreError> {
    let traits: String = row.try_get(3)?;
    let reason = || Ok::<_, StoreError>(row.try_get::<Option<String>, _>(12)?.unwrap_or_default());
    let state = match row.try_get::<&str, _>(9)? {
        "pending" => BotState::Pending,
        "deploying" => BotState::Deploying,
        "live" => BotState::Live,
        "backoff" => BotState::Backoff {
            until: Timestamp(row.try_get::<Option<i64>, _>(11)?.unwrap_or_default()),
            attempt: number(row, 10)?,
            reason: reason()?,
        },
        "failed" => BotState::Failed { reason: reason()? },
        "disabled" => BotState::Disabled,
        other => return Err(StoreError::corrupt(format!("bot state {other}"))),
    };
    Ok(Bot {
        id: parsed(row, 0)?,
        profile: Profile {
            name: row.try_get(1)?,
            persona: row.try_get(2)?,
            traits: serde_json::from_str(&traits).map_err(StoreError::corrupt)?,
            home_zone: row.try_get(4)?,
            region: parsed_option(row, 5)?,
            kind: parsed(row, 6)?,
        },
        channel: parsed_option(row, 7)?,
        epoch: row.try_get(8)?,
        state,
        world: parsed_option(row, 13)?,
        created_at: Timestamp(row.try_get(14)?),
        changed_at: Timestamp(row.try_get(15)?),
    })
}
