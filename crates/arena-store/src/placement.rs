//! Placements: which world a channel has, under an epoch that rises at every change.

use crate::channels::parsed_option;
use crate::db::{Store, transact};
use crate::error::StoreError;
use crate::now;
use arena_core::WorldId;
use arena_core::channel::ChannelName;
use sqlx::Row;

/// A channel's world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The world, if it has one.
    pub world: Option<WorldId>,
    /// Rises at every change. A world host and the database refuse what carries an older one.
    pub epoch: i64,
}

impl Store {
    /// Where a channel is placed.
    pub async fn placement(&self, channel: &ChannelName) -> Result<Placement, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT world, epoch FROM placements WHERE channel = $1";
        let row = tx.row(tx.sql(sql).bind(channel.to_string())).await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(Placement::default()) };
        Ok(Placement { world: parsed_option(&row, 0)?, epoch: row.try_get(1)? })
    }

    /// Takes the next epoch for a channel that is about to get a new world; it has none until then.
    pub async fn next_epoch(&self, channel: &ChannelName) -> Result<i64, StoreError> {
        let row = transact!(self.write(), |tx| {
            let sql = "INSERT INTO placements (channel, world, epoch, updated_at) VALUES ($1, NULL, 1, $2) \
                       ON CONFLICT (channel) DO UPDATE SET world = NULL, epoch = placements.epoch + 1, \
                       updated_at = excluded.updated_at RETURNING epoch";
            tx.row(tx.sql(sql).bind(channel.to_string()).bind(now().0)).await
        })?;
        Ok(row.ok_or_else(|| StoreError::corrupt("no epoch"))?.try_get(0)?)
    }

    /// Records a channel's world, unless the placement has changed since `epoch` was taken. Returns whether it did.
    pub async fn place_world(
        &self,
        channel: &ChannelName,
        world: &WorldId,
        epoch: i64,
    ) -> Result<bool, StoreError> {
        let changed = transact!(self.write(), |tx| {
            let sql = "UPDATE placements SET world = $1, updated_at = $2 WHERE channel = $3 AND epoch = $4";
            let query =
                tx.sql(sql).bind(world.to_string()).bind(now().0).bind(channel.to_string()).bind(epoch);
            tx.execute(query).await
        })?;
        Ok(changed > 0)
    }

    /// Clears every reference to a world that is gone: its channel's placement, and the bots that were its
    /// residents, which wait for the next sync. Returns how many bots.
    pub async fn clear_world(&self, world: &WorldId) -> Result<u64, StoreError> {
        transact!(self.write(), |tx| {
            let sql =
                "UPDATE placements SET world = NULL, epoch = epoch + 1, updated_at = $1 WHERE world = $2";
            tx.execute(tx.sql(sql).bind(now().0).bind(world.to_string())).await?;
            let sql = "UPDATE bots SET world = NULL, changed_at = $1, \
                       state = CASE WHEN state IN ('live', 'deploying') THEN 'pending' ELSE state END WHERE world = $2";
            tx.execute(tx.sql(sql).bind(now().0).bind(world.to_string())).await
        })
    }
}
