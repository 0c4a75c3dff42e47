//! The built-in brain: where to go, when to rest, whom to speak to.

use super::resident::Mode;
use super::walking::Walk;
use super::{NEVER, Slot, World};
use crate::effect::Effect;
use crate::geometry::Tile;
use crate::input::Emote;
use crate::map::{TileIndex, ZoneId};

/// How far, in tiles, a wanderer notices others.
const NOTICE: i32 = 8;
/// How long an emote shows.
pub(super) const EMOTE_MS: u32 = 3_000;
const REST_MS: (u32, u32) = (10_000, 40_000);
const THINK_MS: (u32, u32) = (1_000, 4_000);

impl World {
    /// Something is due for a resident: a tile is reached, a rest is over, or it is time to decide.
    pub(super) fn wake_resident(&mut self, slot: Slot, effects: &mut Vec<Effect>) {
        self.state.wakes[usize::from(slot)] = NEVER;
        if !self.resident(slot).stands() {
            self.advance_walk(slot, effects);
            if self.resident(slot).stands() {
                self.after_walk(slot, effects);
            }
            return;
        }
        let resident = self.resident_mut(slot);
        resident.mode = Mode::Idle;
        if resident.conversation.is_none() && resident.brain.wanderer().is_some() {
            self.decide(slot, effects);
        }
    }

    fn after_walk(&mut self, slot: Slot, effects: &mut Vec<Effect>) {
        match self.resident(slot).conversation {
            Some(at) => self.try_begin(at, effects),
            None => self.dwell(slot),
        }
    }

    /// What somebody does who was told to be where it already is.
    pub(super) fn settle(&mut self, slot: Slot) {
        if self.resident(slot).conversation.is_none() {
            self.dwell(slot);
        }
    }

    /// Lets a wanderer that has nothing else to do look around for a while.
    pub(super) fn dwell(&mut self, slot: Slot) {
        if let Some(wanderer) = self.resident(slot).brain.wanderer() {
            let longest = 4_000 + 150 * u32::from(100 - wanderer.restlessness);
            self.state.wakes[usize::from(slot)] = self.in_a_while(2_000, longest);
        }
    }

    fn decide(&mut self, slot: Slot, effects: &mut Vec<Effect>) {
        let Some(wanderer) = self.resident(slot).brain.wanderer() else { return };
        let (sociability, restlessness) = (wanderer.sociability, wanderer.restlessness);
        let sociable = wanderer.sociable_from <= self.state.tick;
        if sociable
            && self.state.rng.chance(sociability)
            && let Some(other) = self.find_company(slot)
        {
            self.invite(slot, other, effects);
            return;
        }
        let resting = (100 - restlessness) * 2 / 5;
        match self.state.rng.below(100) as u8 {
            roll if roll < resting => {
                self.resident_mut(slot).mode = Mode::Resting;
                self.state.wakes[usize::from(slot)] = self.in_a_while(REST_MS.0, REST_MS.1);
            }
            roll if roll < resting + 8 => {
                let emote = *self.state.rng.pick(&Emote::ALL).expect("invariant: there are emotes");
                self.show(slot, emote, effects);
            }
            _ => self.stroll(slot, effects),
        }
    }

    pub(super) fn show(&mut self, slot: Slot, emote: Emote, effects: &mut Vec<Effect>) {
        let resident = self.resident_mut(slot);
        let bot = resident.bot;
        // A walker shows it in passing: its next event stays the tile ahead.
        if resident.stands() {
            resident.mode = Mode::Emoting(emote);
            self.state.wakes[usize::from(slot)] = self.state.tick + self.settings.ticks(EMOTE_MS);
        }
        effects.push(Effect::Emoted { bot, emote });
    }

    fn stroll(&mut self, slot: Slot, effects: &mut Vec<Effect>) {
        let zone = self.choose_zone(slot);
        let spot = self.open_spot(zone);
        let walk = self.room_near(slot, spot).map(|stop| self.walk_to(slot, stop, Some(spot), effects));
        if walk != Some(Walk::Underway) {
            self.state.wakes[usize::from(slot)] = self.in_a_while(THINK_MS.0, THINK_MS.1);
        }
    }

    /// Stays in the zone in half of all cases, and else goes by the persona's weights.
    fn choose_zone(&mut self, slot: Slot) -> ZoneId {
        let here = self.map.zone_of(self.resident(slot).tile);
        match here {
            Some(here) if self.state.rng.chance(50) => here,
            _ => self.weighted_zone(slot),
        }
    }

    pub(super) fn any_zone(&mut self) -> ZoneId {
        ZoneId(self.state.rng.below(self.map.zones().len() as u32) as u8)
    }

    fn weighted_zone(&mut self, slot: Slot) -> ZoneId {
        let total = match self.resident(slot).brain.wanderer() {
            Some(wanderer) => wanderer.weights.iter().map(|weight| u32::from(*weight)).sum(),
            None => 0,
        };
        if total == 0 {
            return self.any_zone();
        }
        let mut roll = self.state.rng.below(total);
        let wanderer = self.resident(slot).brain.wanderer().expect("invariant: only a wanderer has weights");
        for (zone, weight) in wanderer.weights.iter().enumerate() {
            match roll.checked_sub(u32::from(*weight)) {
                Some(rest) => roll = rest,
                None => return ZoneId(zone as u8),
            }
        }
        unreachable!("invariant: the roll is below the sum of the weights")
    }

    pub(super) fn random_spot(&mut self, zone: ZoneId) -> TileIndex {
        let spots = &self.map.zones()[usize::from(zone.0)].spots;
        let spot = *self.state.rng.pick(spots).expect("invariant: every zone has a spot");
        self.map.index(spot).expect("invariant: spots are on the map")
    }

    /// A spot that nobody has taken, if a few tries find one.
    fn open_spot(&mut self, zone: ZoneId) -> TileIndex {
        let mut spot = self.random_spot(zone);
        for _ in 0..3 {
            if !self.stands.contains_key(&spot) {
                break;
            }
            spot = self.random_spot(zone);
        }
        spot
    }

    /// The nearest resident that stands in sight and would be good company. It looks at the tiles around, not at
    /// the crowd.
    fn find_company(&self, slot: Slot) -> Option<Slot> {
        let me = self.map.tile(self.resident(slot).tile);
        let around = |x: i32, y: i32| {
            let x = u16::try_from(i32::from(me.x) + x).ok()?;
            let y = u16::try_from(i32::from(me.y) + y).ok()?;
            let tile = Tile { x, y };
            let other = *self.stands.get(&self.map.index(tile)?)?;
            (self.is_company(slot, other) && self.map.sees(me, tile)).then_some(other)
        };
        for ring in 1..=NOTICE {
            for step in 0..ring {
                let side = ring - step;
                let corners = [(step, -side), (side, step), (-step, side), (-side, -step)];
                if let Some(other) = corners.into_iter().find_map(|(x, y)| around(x, y)) {
                    return Some(other);
                }
            }
        }
        None
    }

    fn is_company(&self, slot: Slot, other: Slot) -> bool {
        let candidate = self.resident(other);
        let wanted =
            |wanderer: &super::resident::Wanderer| wanderer.wants_to_meet(candidate.serial, self.state.tick);
        other != slot
            && candidate.stands()
            && candidate.conversation.is_none()
            && self.resident(slot).brain.wanderer().is_some_and(wanted)
    }
}
