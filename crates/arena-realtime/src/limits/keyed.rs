//! Token buckets by key.

use super::bucket::{self, Moment, Rate};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Parts that are locked one by one, so that threads seldom meet. The locks are held for a look-up, and for a sweep
/// of one part at most ten times a second.
const SHARDS: usize = 16;

/// After a sweep that found nothing to forget, how long until the next.
const SWEEP_EVERY: Duration = Duration::from_millis(100);

/// A bucket for each key. Buckets that are full again are forgotten when room is needed, which nobody can tell from
/// keeping them. When all of them are in use, further keys share one bucket for each part: the number is bounded, and
/// those who have a bucket are not disturbed by those who come with ever new keys.
#[derive(Debug)]
pub struct Keyed<K> {
    rate: Rate,
    max_in_shard: usize,
    hasher: RandomState,
    shards: Vec<Mutex<Shard<K>>>,
}

#[derive(Debug)]
struct Shard<K> {
    /// When each bucket will be full again.
    full_at: HashMap<K, u64>,
    shared_full_at: u64,
    swept_at: Option<Moment>,
}

impl<K: Hash + Eq> Keyed<K> {
    /// Buckets of this rate, for about `max_keys` keys that are in use at once.
    pub fn new(rate: Rate, max_keys: usize) -> Keyed<K> {
        let shard = || Mutex::new(Shard { full_at: HashMap::new(), shared_full_at: 0, swept_at: None });
        Keyed {
            rate,
            max_in_shard: max_keys.div_ceil(SHARDS).max(1),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| shard()).collect(),
        }
    }

    /// Takes one from the key's bucket, or says after which time to ask again.
    pub fn take<Q>(&self, key: &Q, now: Moment) -> Result<(), Duration>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if self.rate == Rate::UNLIMITED {
            return Ok(());
        }
        let at = self.hasher.hash_one(key) as usize % SHARDS;
        let mut shard = self.shards[at].lock().unwrap_or_else(PoisonError::into_inner);
        let take = |full_at: u64| bucket::next(full_at, self.rate, now);
        if let Some(full_at) = shard.full_at.get_mut(key) {
            *full_at = take(*full_at)?;
        } else if shard.has_room(self.max_in_shard, now) {
            shard.full_at.insert(key.to_owned(), take(0)?);
        } else {
            shard.shared_full_at = take(shard.shared_full_at)?;
        }
        Ok(())
    }

    /// Buckets that are kept.
    pub fn len(&self) -> usize {
        let of = |shard: &Mutex<Shard<K>>| shard.lock().unwrap_or_else(PoisonError::into_inner).full_at.len();
        self.shards.iter().map(of).sum()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Hash + Eq> Shard<K> {
    /// Whether one more key fits in, if need be after forgetting those at rest.
    fn has_room(&mut self, max: usize, now: Moment) -> bool {
        if self.full_at.len() >= max && self.swept_at.is_none_or(|swept| swept.plus(SWEEP_EVERY) <= now) {
            self.full_at.retain(|_, full_at| !bucket::is_idle(*full_at, now));
            self.swept_at = Some(now);
        }
        self.full_at.len() < max
    }
}
