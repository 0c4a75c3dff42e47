//! Finding the world of a channel: the cached one, the known one if its host confirms it, one that the host has
//! already, or a new one.

use crate::guarded::{GuardedHost, Validity};
use crate::host::CreateWorld;
use arena_core::WorldId;
use arena_core::channel::ChannelName;
use arena_core::fault::HostFault;
use arena_store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where a world was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// In the cache.
    Cache,
    /// In the store, and its host confirmed it.
    Known,
    /// At the host, which ran it for this channel already.
    Adopted,
    /// Nowhere; it was created.
    Created,
}

impl Source {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Cache => "cache",
            Source::Known => "known",
            Source::Adopted => "adopted",
            Source::Created => "created",
        }
    }
}

/// A channel's world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// The world.
    pub world: WorldId,
    /// Where it was found.
    pub source: Source,
    /// How long that took.
    pub took: Duration,
}

/// Why no world was found. Nothing was changed, unless a world turned out to be gone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DiscoverError {
    /// The host did not do its part.
    #[error(transparent)]
    Host(#[from] HostFault),
    /// The store did not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long what is known counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscoverySettings {
    /// How long a world id is taken from the cache without asking.
    pub cache_ttl: Duration,
}

impl Default for DiscoverySettings {
    fn default() -> Self {
        DiscoverySettings { cache_ttl: Duration::from_secs(300) }
    }
}

/// Finds worlds; one search at a time for each channel. Clones share their cache.
#[derive(Debug, Clone)]
pub struct Discovery {
    store: Store,
    host: GuardedHost,
    settings: DiscoverySettings,
    slots: Arc<Mutex<HashMap<ChannelName, Arc<Slot>>>>,
}

/// What is kept of a channel.
#[derive(Debug, Default)]
struct Slot {
    cached: Mutex<Option<(WorldId, Instant)>>,
    /// Held while a search runs, so that the second caller finds what the first one found.
    flight: tokio::sync::Mutex<()>,
}

impl Discovery {
    /// Discovery over a host.
    pub fn new(store: Store, host: GuardedHost, settings: DiscoverySettings) -> Discovery {
        Discovery { store, host, settings, slots: Arc::default() }
    }

    /// The world of a channel. A host that cannot be reached changes nothing: the caller tries again later.
    pub async fn discover(&self, channel: &ChannelName) -> Result<Discovered, DiscoverError> {
        let started = Instant::now();
        let slot = self.slot(channel);
        let _flight = slot.flight.lock().await;
        if let Some(world) = slot.fresh(self.settings.cache_ttl) {
            return Ok(Discovered { world, source: Source::Cache, took: started.elapsed() });
        }
        let (world, source) = self.search(channel).await?;
        slot.put(Some((world.clone(), Instant::now())));
        tracing::debug!(%channel, %world, source = source.as_str(), "world discovered");
        Ok(Discovered { world, source, took: started.elapsed() })
    }

    async fn search(&self, channel: &ChannelName) -> Result<(WorldId, Source), DiscoverError> {
        let known = self.store.placement(channel).await?;
        if let Some(world) = known.world {
            match self.host.validate(&world).await {
                Validity::Valid(hosted) if hosted.channel == *channel => return Ok((world, Source::Known)),
                // It exists, but for another channel: not ours, and not ours to clear.
                Validity::Valid(_) => {}
                Validity::Gone => {
                    self.store.clear_world(&world).await?;
                }
                Validity::Unknown(detail) => return Err(HostFault::Transient { detail }.into()),
            }
        }
        if let Some(hosted) = self.host.find(channel).await?
            && self.belongs(channel, &hosted.world).await?
        {
            let epoch = self.store.next_epoch(channel).await?;
            self.claim(channel, &hosted.world, epoch).await?;
            return Ok((hosted.world, Source::Adopted));
        }
        let epoch = self.store.next_epoch(channel).await?;
        let world = self.host.create(CreateWorld { channel: channel.clone(), epoch }).await?;
        if let Validity::Valid(hosted) = self.host.validate(&world).await
            && hosted.channel != *channel
        {
            let detail = format!("the world host gave {channel} the world of {}", hosted.channel);
            return Err(HostFault::Transient { detail }.into());
        }
        if let Err(error) = self.claim(channel, &world, epoch).await {
            // Nobody would ever find it: do not leave it behind. Its host ends it at the next epoch anyway.
            if let Err(fault) = self.host.destroy(&world).await {
                tracing::warn!(%channel, %world, %fault, "an unclaimed world could not be ended");
            }
            return Err(error);
        }
        Ok((world, Source::Created))
    }

    /// Whether a world that its host named for this channel is run for it: two channels must never share one.
    async fn belongs(&self, channel: &ChannelName, world: &WorldId) -> Result<bool, HostFault> {
        match self.host.validate(world).await {
            Validity::Valid(hosted) => Ok(hosted.channel == *channel),
            Validity::Gone => Ok(false),
            Validity::Unknown(detail) => Err(HostFault::Transient { detail }),
        }
    }

    async fn claim(&self, channel: &ChannelName, world: &WorldId, epoch: i64) -> Result<(), DiscoverError> {
        if self.store.place_world(channel, world, epoch).await? {
            Ok(())
        } else {
            Err(HostFault::transient("the channel was placed elsewhere meanwhile").into())
        }
    }

    /// Drops what is cached of a channel unless it is what is recorded: somebody else has placed the channel anew, or
    /// its name is used again.
    pub fn reconcile(&self, channel: &ChannelName, recorded: Option<&WorldId>) {
        if let Some(slot) = self.lock_slots().get(channel) {
            slot.keep_only(recorded);
        }
    }

    /// Drops a world from the cache on evidence that it is gone. Another world that took its place stays.
    pub fn invalidate(&self, channel: &ChannelName, world: &WorldId) {
        if let Some(slot) = self.lock_slots().get(channel) {
            slot.drop_world(world);
        }
    }

    /// The same where only the world is known. Returns the channel that it was cached for.
    pub fn invalidate_world(&self, world: &WorldId) -> Option<ChannelName> {
        let slots = self.lock_slots();
        slots.iter().find(|(_, slot)| slot.drop_world(world)).map(|(channel, _)| channel.clone())
    }

    /// Clears the cache of one channel, or of all.
    pub fn clear(&self, channel: Option<&ChannelName>) {
        let slots = self.lock_slots();
        match channel {
            Some(channel) => slots.get(channel).into_iter().for_each(|slot| slot.put(None)),
            None => slots.values().for_each(|slot| slot.put(None)),
        }
    }

    /// Forgets a channel that was deleted.
    pub fn forget(&self, channel: &ChannelName) {
        self.lock_slots().remove(channel);
    }

    fn slot(&self, channel: &ChannelName) -> Arc<Slot> {
        let mut slots = self.lock_slots();
        if let Some(slot) = slots.get(channel) {
            return Arc::clone(slot);
        }
        Arc::clone(slots.entry(channel.clone()).or_default())
    }

    fn lock_slots(&self) -> std::sync::MutexGuard<'_, HashMap<ChannelName, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn fresh(&self, ttl: Duration) -> Option<WorldId> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.as_ref().filter(|(_, at)| at.elapsed() < ttl).map(|(world, _)| world.clone())
    }

    /// Drops this world; says whether it was the one.
    fn drop_world(&self, world: &WorldId) -> bool {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let same = cached.as_ref().is_some_and(|(known, _)| known == world);
        if same {
            *cached = None;
        }
        same
    }

    fn keep_only(&self, world: Option<&WorldId>) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        *cached = cached.take().filter(|(known, _)| Some(known) == world);
    }

    fn put(&self, world: Option<(WorldId, Instant)>) {
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = world;
    }
}
