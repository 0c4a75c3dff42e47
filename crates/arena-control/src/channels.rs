//! Channels: opening, configuring and emptying them, and who is assigned to them.

use crate::bots::Bots;
use crate::error::ServiceError;
use crate::runtime::Shared;
use crate::sync::SyncRecord;
use arena_core::admission::{AdmitError, Applied, Op};
use arena_core::bot::Bot;
use arena_core::channel::{ChannelKind, ChannelName, Mode, Region, Seats};
use arena_core::health::StateCounts;
use arena_core::{BotId, Metadata, WorldId};
use arena_store::{Actor, ChannelFilter, ChannelRow, Page, PageRequest};
use arena_worlds::{Discovered, Validity};
use std::sync::Arc;

/// A channel to open.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChannel {
    /// Its name; `None` means the next shard of its kind's group.
    pub name: Option<ChannelName>,
    /// What for.
    pub kind: ChannelKind,
    /// The region it is bound to.
    pub region: Option<Region>,
    /// Its limit; `None` means the kind's default.
    pub max_bots: Option<u32>,
    /// Free JSON.
    pub metadata: Metadata,
}

/// What to change of a channel; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChannelPatch {
    /// Its limit.
    pub max_bots: Option<u32>,
    /// Free JSON.
    pub metadata: Option<Metadata>,
    /// Active, draining or in maintenance.
    pub mode: Option<Mode>,
}

/// A channel in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelStats {
    /// Name, kind, limit and load.
    pub seats: Seats,
    /// Bots by state.
    pub bots: StateCounts,
    /// Its world, as far as is recorded.
    pub world: Option<WorldId>,
    /// `none`, `valid`, `gone` or `unknown`.
    pub world_state: &'static str,
    /// The placement's epoch.
    pub epoch: i64,
    /// Its last sync.
    pub last_sync: Option<SyncRecord>,
}

/// What a reset would do to one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetItem {
    /// The channel.
    pub channel: ChannelName,
    /// The world whose references are cleared.
    pub world: Option<WorldId>,
    /// Bots that are deployed anew.
    pub bots: u32,
    /// Of these, bots that had failed or were in back-off.
    pub failed: u32,
}

/// The service for channels.
#[derive(Debug, Clone)]
pub struct Channels {
    pub(crate) shared: Arc<Shared>,
}

impl Channels {
    /// A page of channels by name.
    pub async fn list(
        &self,
        filter: ChannelFilter,
        page: PageRequest,
    ) -> Result<Page<ChannelRow>, ServiceError> {
        Ok(self.shared.store.channels(&filter, &page).await?)
    }

    /// One channel.
    pub async fn get(&self, name: &ChannelName) -> Result<ChannelRow, ServiceError> {
        let row = self.shared.store.channel(name).await?;
        row.ok_or_else(|| AdmitError::ChannelNotFound(name.clone()).into())
    }

    /// Opens a channel.
    pub async fn open(&self, actor: &Actor, new: NewChannel) -> Result<ChannelRow, ServiceError> {
        let op = Op::Open { name: new.name, kind: new.kind, region: new.region, max_bots: new.max_bots };
        let applied = self.shared.carry_out_with(actor, op, Some(new.metadata)).await?;
        let name = applied.opened.first().expect("invariant: an applied Open has opened a channel");
        self.get(name).await
    }

    /// Opens `main`, `vip` and `test` where they are missing. Returns them, and which were opened now.
    pub async fn init(&self, actor: &Actor) -> Result<(Vec<ChannelRow>, Vec<ChannelName>), ServiceError> {
        let (mut rows, mut opened) = (Vec::new(), Vec::new());
        for kind in [ChannelKind::Main, ChannelKind::Vip, ChannelKind::Test] {
            let name: ChannelName =
                kind.as_str().to_ascii_lowercase().parse().expect("invariant: kinds are names");
            let op = Op::Open { name: Some(name.clone()), kind, region: None, max_bots: None };
            match self.shared.carry_out(actor, op).await {
                Ok(applied) => opened.extend(applied.opened),
                Err(ServiceError::Refused(AdmitError::ChannelExists(_))) => {}
                Err(error) => return Err(error),
            }
            rows.push(self.get(&name).await?);
        }
        Ok((rows, opened))
    }

    /// Changes a channel. Draining it moves its bots out at once.
    pub async fn configure(
        &self,
        actor: &Actor,
        name: &ChannelName,
        patch: ChannelPatch,
    ) -> Result<(ChannelRow, Applied), ServiceError> {
        let op = Op::Configure { channel: name.clone(), max_bots: patch.max_bots, mode: patch.mode };
        let applied = self.shared.carry_out_with(actor, op, patch.metadata).await?;
        self.shared.nudges.nudge([name]);
        Ok((self.get(name).await?, applied))
    }

    /// Deletes a channel after moving its bots to its group, or to main.
    pub async fn delete(&self, actor: &Actor, name: &ChannelName) -> Result<Applied, ServiceError> {
        self.shared.carry_out(actor, Op::Close { channel: name.clone() }).await
    }

    /// Puts a bot into this very channel.
    pub async fn assign(&self, actor: &Actor, name: &ChannelName, bot: BotId) -> Result<Bot, ServiceError> {
        self.bots().assign(actor, bot, Some(name.clone())).await
    }

    /// Takes a bot out of this channel; it stays without one until it is assigned again.
    pub async fn remove(&self, actor: &Actor, name: &ChannelName, bot: BotId) -> Result<Bot, ServiceError> {
        self.shared.carry_out_for(actor, bot, Op::Remove { bot, from: Some(name.clone()) }).await
    }

    /// Moves bots to another channel, all or none.
    pub async fn migrate(
        &self,
        actor: &Actor,
        from: &ChannelName,
        to: &ChannelName,
        bots: Option<Vec<BotId>>,
    ) -> Result<Applied, ServiceError> {
        self.shared.carry_out(actor, Op::Migrate { from: from.clone(), to: to.clone(), bots }).await
    }

    /// Evens out the load of a channel's group, or of every group.
    pub async fn rebalance(
        &self,
        actor: &Actor,
        channel: Option<&ChannelName>,
    ) -> Result<Applied, ServiceError> {
        let group = match channel {
            Some(name) => Some(self.get(name).await?.channel.seats.group),
            None => None,
        };
        self.shared.carry_out(actor, Op::Rebalance { group }).await
    }

    /// A channel in numbers.
    pub async fn stats(&self, name: &ChannelName) -> Result<ChannelStats, ServiceError> {
        let row = self.get(name).await?;
        let counts = self.shared.store.state_counts().await?;
        let world_state = match &row.world {
            None => "none",
            Some(world) => match self.shared.host.validate(world).await {
                Validity::Valid(hosted) if hosted.channel == *name => "valid",
                Validity::Valid(_) | Validity::Gone => "gone",
                Validity::Unknown(_) => "unknown",
            },
        };
        Ok(ChannelStats {
            bots: counts.get(name).copied().unwrap_or_default(),
            seats: row.channel.seats,
            world: row.world,
            world_state,
            epoch: row.epoch,
            last_sync: self.shared.log.last(name),
        })
    }

    /// Nudges a channel's sync.
    pub async fn sync(&self, name: &ChannelName) -> Result<(), ServiceError> {
        self.get(name).await?;
        self.shared.nudges.nudge([name]);
        Ok(())
    }

    /// Finds the channel's world, creating it if need be; with `clear`, not from the cache.
    pub async fn discover(&self, name: &ChannelName, clear: bool) -> Result<Discovered, ServiceError> {
        self.get(name).await?;
        if clear {
            self.shared.discovery.clear(Some(name));
        }
        Ok(self.shared.discovery.discover(name).await?)
    }

    /// Clears the world references and failed syncs of one channel, or of all, and forces redeployment. A dry run
    /// only says what that would do.
    pub async fn reset(
        &self,
        actor: &Actor,
        channel: Option<&ChannelName>,
        dry_run: bool,
    ) -> Result<Vec<ResetItem>, ServiceError> {
        let rows = match channel {
            Some(name) => vec![self.get(name).await?],
            None => self.shared.store.all_channels().await?,
        };
        let counts = self.shared.store.state_counts().await?;
        let items: Vec<ResetItem> = rows
            .into_iter()
            .map(|row| {
                let counts = counts.get(&row.channel.seats.name).copied().unwrap_or_default();
                ResetItem {
                    channel: row.channel.seats.name,
                    world: row.world,
                    bots: counts.total() - counts.disabled,
                    failed: counts.failed + counts.backoff,
                }
            })
            .collect();
        if !dry_run {
            for item in &items {
                self.reset_one(actor, item).await?;
            }
        }
        Ok(items)
    }

    async fn reset_one(&self, actor: &Actor, item: &ResetItem) -> Result<(), ServiceError> {
        if let Some(world) = &item.world {
            // The world goes too: bodies that stayed in it would be found again instead of being deployed anew. A
            // host that does not answer must not keep an operator from resetting.
            if let Err(fault) = self.shared.host.destroy(world).await {
                tracing::warn!(channel = %item.channel, %world, %fault, "a world could not be ended by a reset");
            }
            self.shared.store.clear_world(world).await?;
        }
        self.shared.store.retry_channel(&item.channel).await?;
        self.shared.discovery.clear(Some(&item.channel));
        self.shared.nudges.nudge([&item.channel]);
        self.shared.note(actor, "channel.reset", None, Some(&item.channel)).await
    }

    fn bots(&self) -> Bots {
        Bots { shared: Arc::clone(&self.shared) }
    }
}
