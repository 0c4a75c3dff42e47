//! Snapshots of positions, so that a world that is made anew puts everyone back where they stood.

use crate::guarded::GuardedHost;
use arena_core::BotId;
use arena_core::channel::ChannelName;
use arena_store::{Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Saves where residents stand, worlds that did not change left out.
#[derive(Debug)]
pub struct PositionKeeper {
    store: Store,
    host: GuardedHost,
    /// Hash of what was last saved of each channel.
    saved: HashMap<ChannelName, u64>,
}

/// Channels saved in one transaction.
const CHUNK: usize = 200;

impl PositionKeeper {
    /// A keeper that has saved nothing yet.
    pub fn new(store: Store, host: GuardedHost) -> PositionKeeper {
        PositionKeeper { store, host, saved: HashMap::new() }
    }

    /// Takes and saves one snapshot of every world. A world that does not answer is skipped, and an empty one keeps
    /// its last snapshot. Returns how many channels were saved.
    pub async fn save(&mut self) -> Result<usize, StoreError> {
        let worlds = match self.host.list().await {
            Ok(worlds) => worlds,
            Err(fault) => {
                tracing::debug!(%fault, "no snapshot: the world host does not answer");
                return Ok(0);
            }
        };
        let mut saved = 0;
        let mut chunk = Vec::new();
        for world in worlds.into_iter().filter(|world| world.residents > 0) {
            let Ok(positions) = self.host.positions(&world.hosted.world).await else { continue };
            chunk.extend(self.changed(world.hosted.channel, positions));
            if chunk.len() == CHUNK {
                saved += self.flush(&mut chunk).await?;
            }
        }
        Ok(saved + self.flush(&mut chunk).await?)
    }

    fn changed(
        &self,
        channel: ChannelName,
        positions: Vec<(BotId, (u16, u16))>,
    ) -> Option<(ChannelName, String, u64)> {
        let mut hasher = DefaultHasher::new();
        positions.hash(&mut hasher);
        let hash = hasher.finish();
        if positions.is_empty() || self.saved.get(&channel) == Some(&hash) {
            return None;
        }
        let body: BTreeMap<BotId, (u16, u16)> = positions.into_iter().collect();
        let text = serde_json::to_string(&body).expect("invariant: ids and numbers are JSON");
        Some((channel, text, hash))
    }

    async fn flush(&mut self, chunk: &mut Vec<(ChannelName, String, u64)>) -> Result<usize, StoreError> {
        let (rows, hashes): (Vec<_>, Vec<_>) = std::mem::take(chunk)
            .into_iter()
            .map(|(channel, text, hash)| ((channel.clone(), text), (channel, hash)))
            .unzip();
        self.store.save_positions(&rows).await?;
        self.saved.extend(hashes);
        Ok(rows.len())
    }
}

/// Where the residents of a channel's world last stood. A snapshot that cannot be read counts as none: bots then
/// appear at home.
pub async fn last_positions(
    store: &Store,
    channel: &ChannelName,
) -> Result<BTreeMap<BotId, (u16, u16)>, StoreError> {
    let Some(text) = store.positions(channel).await? else { return Ok(BTreeMap::new()) };
    Ok(serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::warn!(%channel, %error, "the snapshot of positions cannot be read");
        BTreeMap::new()
    }))
}
