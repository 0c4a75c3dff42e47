//! Putting a world away and taking it out again, with the same future.

use super::asking::MOST_WAITING;
use super::conversation::Phase;
use super::resident::Resident;
use super::{NEVER, SUBTICK, Slot, Stands, State, World};
use crate::hash::Fnv;
use crate::map::{NEAR, TileIndex, TownMap};
use crate::settings::{SettingsError, WorldSettings};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Rises whenever the meaning of a snapshot changes.
const FORMAT: u32 = 1;
/// No world lives this long; a snapshot that says so is damaged.
const LAST_TICK: u64 = 1 << 48;

/// A world's whole state, to be stored as the host likes. Its fields are this crate's own affair.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldSnapshot {
    format: u32,
    map: u64,
    settings: WorldSettings,
    state: State,
}

impl WorldSnapshot {
    /// The tick at which it was taken.
    pub fn tick(&self) -> u64 {
        self.state.tick
    }
}

/// A snapshot that no world can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Another version of Arena wrote it.
    #[error("the snapshot has format {got}; this version reads {FORMAT}")]
    Format {
        /// The snapshot's format.
        got: u32,
    },
    /// It belongs to another map.
    #[error("the snapshot was taken on another map; start an empty world and join the residents by position")]
    OtherMap,
    /// Its settings are not valid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It contradicts itself.
    #[error("the snapshot is damaged: {0}")]
    Damaged(String),
}

impl World {
    /// A copy of everything that decides the world's future.
    pub fn snapshot(&self) -> WorldSnapshot {
        WorldSnapshot {
            format: FORMAT,
            map: self.map.fingerprint(),
            settings: self.settings.clone(),
            state: self.state.clone(),
        }
    }

    /// The world that a snapshot was taken of. It goes on exactly as the first one does.
    ///
    /// # Errors
    /// The snapshot is of another format or map, or was tampered with.
    pub fn restore(map: Arc<TownMap>, snapshot: WorldSnapshot) -> Result<World, RestoreError> {
        let WorldSnapshot { format, map: fingerprint, settings, state } = snapshot;
        if format != FORMAT {
            return Err(RestoreError::Format { got: format });
        }
        if fingerprint != map.fingerprint() {
            return Err(RestoreError::OtherMap);
        }
        settings.validate(&map)?;
        state.check(&map, &settings).map_err(RestoreError::Damaged)?;
        let taken = || state.residents.iter().enumerate().filter_map(|(n, r)| Some((n as Slot, r.as_ref()?)));
        let mut index: Vec<_> = taken().map(|(slot, resident)| (resident.bot, slot)).collect();
        index.sort_unstable();
        if index.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(RestoreError::Damaged("a bot is there twice".to_owned()));
        }
        let stands: Stands = taken().map(|(slot, resident)| (resident.stop, slot)).collect();
        if stands.len() != index.len() {
            return Err(RestoreError::Damaged("two residents stop on one tile".to_owned()));
        }
        Ok(World { map, settings, state, index, stands })
    }

    /// A number that two worlds share if and, but for the luck of 1 in 2^64, only if they have the same future. It is
    /// the same on every platform. It covers the snapshot, so it costs about as much: meant for tests and checks.
    pub fn state_hash(&self) -> u64 {
        let mut hash = Fnv::new();
        hash.bytes(&self.map.fingerprint().to_le_bytes());
        serde_json::to_writer(&mut hash, &(&self.settings, &self.state))
            .expect("invariant: a world's state is plain JSON");
        hash.finish()
    }

    /// Checks every invariant of the world, at a cost that fits tests rather than ticks.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn audit(&self) -> Result<(), String> {
        self.state.check(&self.map, &self.settings)?;
        let taken = self.state.residents.iter().flatten().count();
        ensure(taken == self.index.len() && taken == self.stands.len(), || "counts differ".to_owned())?;
        ensure(self.index.windows(2).all(|pair| pair[0].0 < pair[1].0), || "index out of order".to_owned())?;
        for (bot, slot) in &self.index {
            let resident = self.resident(*slot);
            ensure(resident.bot == *bot, || format!("{bot}: the index names another slot"))?;
            let owner = self.stands.get(&resident.stop);
            ensure(owner == Some(slot), || format!("{bot}: its stop belongs to {owner:?}"))?;
        }
        Ok(())
    }
}

impl State {
    /// Whether the state is one that this map and these settings can bring about, as far as a step relies on it.
    fn check(&self, map: &TownMap, settings: &WorldSettings) -> Result<(), String> {
        ensure(self.tick < LAST_TICK, || format!("tick {} is out of range", self.tick))?;
        ensure(self.next_conversation < LAST_TICK, || "too many conversations".to_owned())?;
        let most = WorldSettings::MAX_RESIDENTS.min(map.max_residents()) as usize;
        ensure(self.residents.len() <= most, || format!("more than {most} residents"))?;
        ensure(self.conversations.len() <= most, || format!("more than {most} conversations"))?;
        ensure(self.wakes.len() == self.residents.len(), || "wakes and residents differ".to_owned())?;
        for (slot, resident) in self.residents.iter().enumerate() {
            match resident {
                Some(resident) => self.check_resident(slot, resident, map, settings)?,
                None => ensure(self.wakes[slot] == NEVER, || format!("slot {slot}: nobody wakes"))?,
            }
        }
        (0..self.conversations.len()).try_for_each(|at| self.check_conversation(at, settings))?;
        self.check_aloud()
    }

    fn check_aloud(&self) -> Result<(), String> {
        let most = MOST_WAITING * self.residents.len();
        ensure(self.aloud.len() <= most, || format!("more than {most} lines aloud"))?;
        ensure(self.aloud.is_sorted_by_key(|line| line.line), || "lines aloud out of order".to_owned())?;
        self.aloud.iter().try_for_each(|line| {
            let there = self.residents.get(usize::from(line.by)).is_some_and(Option::is_some);
            let timely = line.line <= self.asked_aloud && self.tick < line.until;
            ensure(there && timely, || format!("line {} aloud: should have been dropped", line.line))
        })
    }

    fn check_resident(
        &self,
        slot: usize,
        resident: &Resident,
        map: &TownMap,
        settings: &WorldSettings,
    ) -> Result<(), String> {
        let bot = resident.bot;
        let free = |tile: TileIndex| (tile as usize) < map.len() && map.free(tile);
        ensure(free(resident.tile) && free(resident.stop), || format!("{bot}: not on a free tile"))?;
        ensure((64..=2_048).contains(&resident.speed), || format!("{bot}: speed {}", resident.speed))?;
        ensure(self.wakes[slot] > self.tick, || format!("{bot}: should have been woken"))?;
        let near = |via: TileIndex| free(via) && map.tile(via).distance(map.tile(resident.stop)) <= NEAR;
        ensure(resident.via.is_none_or(near), || format!("{bot}: walks past its stop"))?;
        if let Some(leg) = resident.leg {
            let next = free(leg.to) && map.tile(leg.to).distance(map.tile(resident.tile)) == 1;
            let now = self.tick * SUBTICK;
            let timely = (now + 1..=now + resident.leg_time(settings)).contains(&leg.arrive);
            ensure(next && timely, || format!("{bot}: takes an impossible step"))?;
            let due = self.wakes[slot] == leg.arrive.div_ceil(SUBTICK);
            ensure(due, || format!("{bot}: wakes beside its step"))?;
        } else {
            ensure(resident.tile == resident.stop, || format!("{bot}: stands where it does not stop"))?;
        }
        if let Some(wanderer) = resident.brain.wanderer() {
            let zones = map.zones().len();
            let known = wanderer.home.is_none_or(|home| usize::from(home.0) < zones);
            ensure(known && wanderer.weights.len() == zones, || format!("{bot}: knows other zones"))?;
            let percent = wanderer.sociability.max(wanderer.restlessness).max(wanderer.chattiness);
            ensure(percent <= 100, || format!("{bot}: {percent} percent"))?;
        }
        let member = |at: Slot| {
            let talk = self.conversations.get(usize::from(at)).and_then(Option::as_ref);
            talk.is_some_and(|talk| talk.members.contains(&(slot as Slot)))
        };
        ensure(resident.conversation.is_none_or(member), || {
            format!("{bot}: not a member of its conversation")
        })
    }

    fn check_conversation(&self, at: usize, settings: &WorldSettings) -> Result<(), String> {
        let Some(talk) = &self.conversations[at] else { return Ok(()) };
        let id = talk.id;
        let member = |slot: Slot| {
            let resident = self.residents.get(usize::from(slot)).and_then(Option::as_ref);
            resident.is_some_and(|resident| resident.conversation == Some(at as Slot))
        };
        let two = talk.starter() != talk.invited() && talk.members.into_iter().all(member);
        ensure(two, || format!("conversation {id}: does not have two participants"))?;
        ensure(talk.messages < settings.max_messages, || format!("conversation {id}: too many messages"))?;
        let timely = self.tick < talk.wake && talk.wake <= talk.deadline;
        ensure(timely && talk.turn < 2, || format!("conversation {id}: should have been woken"))?;
        let waiting = &talk.waiting;
        let bounded = waiting.len() <= MOST_WAITING
            && (waiting.is_empty() || talk.phase == Phase::Talking)
            && usize::from(talk.messages) + waiting.len() <= usize::from(settings.max_messages);
        ensure(bounded, || format!("conversation {id}: too many lines wait"))?;
        let numbered = waiting.iter().all(|line| line.line <= talk.asked && line.by < 2)
            && waiting.is_sorted_by_key(|line| line.line);
        ensure(numbered, || format!("conversation {id}: lines out of order"))?;
        ensure(id.0 < self.next_conversation, || format!("conversation {id}: from the future"))
    }
}

fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}
