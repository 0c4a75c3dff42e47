//! Where residents last stood, so that a world that is made anew puts them back.

use crate::batch;
use crate::db::{Store, transact};
use crate::error::StoreError;
use crate::now;
use crate::text::storable;
use arena_core::channel::ChannelName;
use sqlx::Row;

impl Store {
    /// Saves snapshots, one text a channel, in one transaction.
    pub async fn save_positions(&self, snapshots: &[(ChannelName, String)]) -> Result<(), StoreError> {
        if snapshots.is_empty() {
            return Ok(());
        }
        transact!(self.write(), |tx| {
            for chunk in snapshots.chunks(batch::rows_per_statement(3, 0).min(200)) {
                let mut query = tx.built(format!(
                    "INSERT INTO positions (channel, body, taken_at) VALUES {} ON CONFLICT (channel) DO UPDATE SET \
                     body = excluded.body, taken_at = excluded.taken_at",
                    batch::tuples(chunk.len(), 3, 0)
                ));
                for (channel, body) in chunk {
                    query = query.bind(channel.to_string()).bind(storable(body)).bind(now().0);
                }
                tx.execute(query).await?;
            }
            Ok(())
        })
    }

    /// The last snapshot of a channel.
    pub async fn positions(&self, channel: &ChannelName) -> Result<Option<String>, StoreError> {
        let mut tx = self.read().await?;
        let row =
            tx.row(tx.sql("SELECT body FROM positions WHERE channel = $1").bind(channel.to_string())).await?;
        tx.commit().await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}
