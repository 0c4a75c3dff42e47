//! Snapshots of positions, so that a world that is made anew puts everyone back where they stood.

use crate::guarded::GuardedHost;
use arena_core::channel::ChannelName;
use arena_core::{BotId, WorldId};
use arena_store::{Store, StoreError};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Saves where residents stand, worlds that did not change left out.
#[derive(Debug)]
pub struct PositionKeeper {
    store: Store,
    host: GuardedHost,
    kept: HashMap<ChannelName, Kept>,
}

/// What is known of a channel's residents.
#[derive(Debug, Default)]
struct Kept {
    places: BTreeMap<BotId, Place>,
    /// Hash of what was last saved.
    saved: Option<u64>,
}

/// Where a bot stood, and when it was last seen there.
#[derive(Debug)]
struct Place {
    tile: Tile,
    seen: Instant,
}

/// A tile, from the left and from the top.
type Tile = (u16, u16);

/// Channels saved in one transaction.
const CHUNK: usize = 200;
/// Worlds asked at the same time: one that hangs must not keep the others' snapshots back.
const AT_ONCE: usize = 64;
/// How long the place of a bot is kept that is not there: in a world that is being filled again, most are not yet.
const KEEP_ABSENT: Duration = Duration::from_secs(600);

impl PositionKeeper {
    /// A keeper that has saved nothing yet.
    pub fn new(store: Store, host: GuardedHost) -> PositionKeeper {
        PositionKeeper { store, host, kept: HashMap::new() }
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
        let worlds: Vec<(ChannelName, WorldId)> = (worlds.into_iter())
            .filter(|world| world.residents > 0)
            .map(|world| (world.hosted.channel, world.hosted.world))
            .collect();
        let living: HashSet<&ChannelName> = worlds.iter().map(|(channel, _)| channel).collect();
        self.kept.retain(|channel, _| living.contains(channel));
        let mut saved = 0;
        for worlds in worlds.chunks(CHUNK) {
            let positions = self.ask(worlds).await;
            saved += self.save_some(positions).await?;
        }
        Ok(saved)
    }

    /// Where everyone stands in those of these worlds that answer.
    async fn ask(&self, worlds: &[(ChannelName, WorldId)]) -> Vec<(ChannelName, Vec<(BotId, Tile)>)> {
        let mut answers = Vec::with_capacity(worlds.len());
        for worlds in worlds.chunks(AT_ONCE) {
            let mut asking = JoinSet::new();
            for (channel, world) in worlds.iter().cloned() {
                let host = self.host.clone();
                asking.spawn(async move { (channel, host.positions(&world).await) });
            }
            while let Some(answer) = asking.join_next().await {
                if let Ok((channel, Ok(positions))) = answer {
                    answers.push((channel, positions));
                }
            }
        }
        answers
    }

    async fn save_some(
        &mut self,
        positions: Vec<(ChannelName, Vec<(BotId, Tile)>)>,
    ) -> Result<usize, StoreError> {
        let mut rows = Vec::new();
        let mut hashes = Vec::new();
        for (channel, positions) in positions {
            let kept = self.kept_of(&channel).await?;
            kept.see(positions);
            let hash = kept.hash();
            if !kept.places.is_empty() && kept.saved != Some(hash) {
                rows.push((channel.clone(), kept.text()));
                hashes.push((channel, hash));
            }
        }
        self.store.save_positions(&rows).await?;
        for (channel, hash) in hashes {
            self.kept.entry(channel).or_default().saved = Some(hash);
        }
        Ok(rows.len())
    }

    /// What is known of a channel; at first, what an earlier keeper saved.
    async fn kept_of(&mut self, channel: &ChannelName) -> Result<&mut Kept, StoreError> {
        if !self.kept.contains_key(channel) {
            let mut kept = Kept::default();
            kept.see(last_positions(&self.store, channel).await?);
            self.kept.insert(channel.clone(), kept);
        }
        Ok(self.kept.entry(channel.clone()).or_default())
    }
}

impl Kept {
    fn see(&mut self, positions: impl IntoIterator<Item = (BotId, Tile)>) {
        let seen = Instant::now();
        self.places.extend(positions.into_iter().map(|(bot, tile)| (bot, Place { tile, seen })));
        self.places.retain(|_, place| place.seen.elapsed() < KEEP_ABSENT);
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.places.iter().for_each(|(bot, place)| (bot, place.tile).hash(&mut hasher));
        hasher.finish()
    }

    fn text(&self) -> String {
        let places: BTreeMap<&BotId, Tile> = self.places.iter().map(|(bot, at)| (bot, at.tile)).collect();
        serde_json::to_string(&places).expect("invariant: ids and numbers are JSON")
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
