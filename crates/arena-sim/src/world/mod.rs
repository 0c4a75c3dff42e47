//! One world: who is in it, and what a tick does.
//!
//! Every resident and conversation has the tick at which something happens to it next, and a step touches only
//! those that are due. Someone who walks is due once a tile, someone who rests once in a while.

mod asking;
mod conversation;
mod inputs;
mod resident;
mod snapshot;
mod talking;
#[cfg(test)]
mod tests;
mod view;
mod walking;
mod wandering;

pub use conversation::{ConversationId, Phase as ConversationPhase};
pub use snapshot::{RestoreError, WorldSnapshot};
pub use view::{Activity, ConversationView, ResidentView};

use crate::effect::Effect;
use crate::geometry::Tile;
use crate::input::Input;
use crate::map::{TileIndex, TownMap};
use crate::rng::Rng;
use crate::settings::{SettingsError, WorldSettings};
use arena_core::BotId;
use asking::AloudLine;
use conversation::{Conversation, is_default};
use resident::Resident;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// A resident's place in the world's lists, reused after it left.
type Slot = u16;
/// Ticks since the world began.
type Tick = u64;

/// The tick of something that only another event can bring about.
const NEVER: Tick = Tick::MAX;
/// Parts of a tick that walks are timed in.
const SUBTICK: u64 = 256;

/// A running simulation of one town.
#[derive(Debug)]
pub struct World {
    map: Arc<TownMap>,
    settings: WorldSettings,
    state: State,
    /// Sorted by bot.
    index: Vec<(BotId, Slot)>,
    stands: Stands,
}

/// All that decides a world's future, besides its map and settings. It is what snapshots hold and hashes cover.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    tick: Tick,
    rng: Rng,
    next_serial: u32,
    next_conversation: u64,
    residents: Vec<Option<Resident>>,
    /// When each resident is due; beside the residents, so that a tick scans a few cache lines.
    wakes: Vec<Tick>,
    conversations: Vec<Option<Conversation>>,
    /// Lines outside of conversations that wait for leave, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aloud: Vec<AloudLine>,
    /// How many lines outside of conversations leave was asked for so far.
    #[serde(default, skip_serializing_if = "is_default")]
    asked_aloud: u32,
}

/// Who stands on a tile or will stop there. It is never iterated.
type Stands = HashMap<TileIndex, Slot, BuildHasherDefault<TileHasher>>;

/// Spreads tile numbers; nobody outside chooses them freely enough to make them collide.
#[derive(Debug, Default)]
struct TileHasher(u64);

impl Hasher for TileHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, tile: u32) {
        self.0 = (self.0 ^ u64::from(tile)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl World {
    /// An empty world at tick 0.
    ///
    /// # Errors
    /// The settings are out of range, or the map is too small for them.
    pub fn new(map: Arc<TownMap>, seed: u64, settings: WorldSettings) -> Result<World, SettingsError> {
        settings.validate(&map)?;
        let state = State {
            tick: 0,
            rng: Rng::new(seed),
            next_serial: 0,
            next_conversation: 1,
            residents: Vec::new(),
            wakes: Vec::new(),
            conversations: Vec::new(),
            aloud: Vec::new(),
            asked_aloud: 0,
        };
        Ok(World { map, settings, state, index: Vec::new(), stands: Stands::default() })
    }

    /// Advances the world by one tick: first the inputs in their order, then everything that is due. What happened
    /// is appended to `effects`, in order.
    pub fn step(&mut self, inputs: &[Input], effects: &mut Vec<Effect>) {
        self.state.tick += 1;
        for (n, input) in inputs.iter().enumerate() {
            if let Err(reason) = self.apply(n, input, effects) {
                effects.push(Effect::Refused { input: n, bot: input.bot(), reason });
            }
        }
        let now = self.state.tick;
        for slot in 0..self.state.wakes.len() {
            if self.state.wakes[slot] <= now {
                self.wake_resident(slot as Slot, effects);
            }
        }
        for at in 0..self.state.conversations.len() {
            if self.state.conversations[at].as_ref().is_some_and(|talk| talk.wake <= now) {
                self.wake_conversation(at as Slot, effects);
            }
        }
        if !self.state.aloud.is_empty() {
            self.give_up_aloud(effects);
        }
    }

    /// Ticks since the world began.
    pub fn tick(&self) -> u64 {
        self.state.tick
    }

    /// The map that the world is on.
    pub fn map(&self) -> &Arc<TownMap> {
        &self.map
    }

    /// The settings in force.
    pub fn settings(&self) -> &WorldSettings {
        &self.settings
    }

    /// Changes how many residents may join. Those who are here stay, even above a lower limit.
    ///
    /// # Errors
    /// The limit is out of range, or the map is too small for it. The old one stays in force.
    pub fn set_max_residents(&mut self, limit: u32) -> Result<(), SettingsError> {
        let changed = WorldSettings { max_residents: limit, ..self.settings.clone() };
        changed.validate(&self.map)?;
        self.settings = changed;
        Ok(())
    }

    /// How many residents there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Whether that bot is a resident.
    pub fn contains(&self, bot: BotId) -> bool {
        self.slot_of(bot).is_some()
    }

    /// Every resident and its tile, in the order of their ids: what to store so as to put them back later.
    pub fn positions(&self) -> impl Iterator<Item = (BotId, Tile)> + '_ {
        self.index.iter().map(|(bot, slot)| (*bot, self.map.tile(self.resident(*slot).tile)))
    }

    fn slot_of(&self, bot: BotId) -> Option<Slot> {
        self.index.binary_search_by_key(&bot, |entry| entry.0).ok().map(|at| self.index[at].1)
    }

    fn resident(&self, slot: Slot) -> &Resident {
        self.state.residents[usize::from(slot)].as_ref().expect("invariant: the slot is taken")
    }

    fn resident_mut(&mut self, slot: Slot) -> &mut Resident {
        self.state.residents[usize::from(slot)].as_mut().expect("invariant: the slot is taken")
    }

    fn talk(&self, at: Slot) -> &Conversation {
        self.state.conversations[usize::from(at)].as_ref().expect("invariant: the conversation goes on")
    }

    fn talk_mut(&mut self, at: Slot) -> &mut Conversation {
        self.state.conversations[usize::from(at)].as_mut().expect("invariant: the conversation goes on")
    }

    /// The tick that is a random while from now, between the two times.
    fn in_a_while(&mut self, low_ms: u32, high_ms: u32) -> Tick {
        let ms = self.state.rng.within(low_ms, high_ms);
        self.state.tick + self.settings.ticks(ms)
    }
}
