//! Walks: a goal is reserved, then tile after tile is crossed at the resident's own pace.
//!
//! Bodies pass through each other, but no two stop on one tile: whoever sets out reserves the tile it will stop on.

use super::resident::{Leg, Mode};
use super::{NEVER, SUBTICK, Slot, World};
use crate::effect::{Effect, MoveKind};
use crate::geometry::Dir;
use crate::map::{NEAR, TileIndex};

/// Whether somebody who was sent somewhere has to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    Underway,
    There,
}

impl World {
    /// The closest tile to `goal` on foot where that resident may stop.
    pub(super) fn room_near(&self, slot: Slot, goal: TileIndex) -> Option<TileIndex> {
        self.map.nearest(goal, |tile| self.stands.get(&tile).is_none_or(|owner| *owner == slot))
    }

    /// Sends a resident to a tile that [`Self::room_near`] found for it, towards the spot it is near to, if any.
    pub(super) fn walk_to(
        &mut self,
        slot: Slot,
        stop: TileIndex,
        via: Option<TileIndex>,
        effects: &mut Vec<Effect>,
    ) -> Walk {
        let resident = self.resident_mut(slot);
        let old = std::mem::replace(&mut resident.stop, stop);
        resident.via = via.filter(|via| *via != stop);
        resident.path = Vec::new();
        resident.mode = Mode::Idle;
        let (stands, there) = (resident.stands(), resident.tile == stop);
        self.stands.remove(&old);
        self.stands.insert(stop, slot);
        match (stands, there) {
            (true, true) => {
                self.state.wakes[usize::from(slot)] = NEVER;
                self.moved(slot, MoveKind::Stopped, effects);
                Walk::There
            }
            (true, false) => {
                self.begin_leg(slot, self.state.tick * SUBTICK);
                self.moved(slot, MoveKind::Started, effects);
                Walk::Underway
            }
            (false, _) => {
                self.moved(slot, MoveKind::Started, effects);
                Walk::Underway
            }
        }
    }

    /// Stops a walker as soon as it can.
    pub(super) fn halt(&mut self, slot: Slot, effects: &mut Vec<Effect>) {
        let Some(leg) = self.resident(slot).leg else { return };
        if let Some(stop) = self.room_near(slot, leg.to) {
            self.walk_to(slot, stop, None, effects);
        }
    }

    /// Takes a walker over every tile that it has reached by now.
    pub(super) fn advance_walk(&mut self, slot: Slot, effects: &mut Vec<Effect>) {
        let now = self.state.tick * SUBTICK;
        while let Some(leg) = self.resident(slot).leg.filter(|leg| leg.arrive <= now) {
            let resident = self.resident_mut(slot);
            let left = std::mem::replace(&mut resident.tile, leg.to);
            let heading = resident.heading;
            if resident.tile == resident.stop {
                (resident.leg, resident.via) = (None, None);
                resident.path = Vec::new();
                self.state.wakes[usize::from(slot)] = NEVER;
                self.moved(slot, MoveKind::Stopped, effects);
            } else {
                self.begin_leg(slot, leg.arrive);
                let turned = self.resident(slot).heading != heading;
                self.moved(slot, if turned { MoveKind::Turned } else { MoveKind::Passed }, effects);
            }
            let zone = self.map.zone_of(leg.to).filter(|zone| self.map.zone_of(left) != Some(*zone));
            if let Some(zone) = zone {
                effects.push(Effect::EnteredZone { bot: self.resident(slot).bot, zone });
            }
        }
    }

    fn begin_leg(&mut self, slot: Slot, depart: u64) {
        let dir = self.next_dir(slot);
        let resident =
            self.state.residents[usize::from(slot)].as_mut().expect("invariant: the slot is taken");
        let arrive = depart + resident.leg_time(&self.settings);
        resident.leg = Some(Leg { to: self.map.neighbour(resident.tile, dir), arrive });
        resident.heading = dir.heading();
        self.state.wakes[usize::from(slot)] = arrive.div_ceil(SUBTICK);
    }

    fn next_dir(&mut self, slot: Slot) -> Dir {
        let resident =
            self.state.residents[usize::from(slot)].as_mut().expect("invariant: the slot is taken");
        if self.map.tile(resident.tile).distance(self.map.tile(resident.stop)) <= NEAR
            && resident.via.is_some()
        {
            (resident.via, resident.path) = (None, Vec::new());
        }
        if resident.path.is_empty() {
            let goal = resident.via.unwrap_or(resident.stop);
            if let Some(dir) = self.map.cached_direction(resident.tile, goal) {
                return dir;
            }
            resident.path = self.map.path_reversed(resident.tile, goal);
        }
        Dir::from_bits(resident.path.pop().expect("invariant: a way has at least one step"))
    }

    fn moved(&self, slot: Slot, kind: MoveKind, effects: &mut Vec<Effect>) {
        let resident = self.resident(slot);
        let (at, to) = (self.map.tile(resident.tile), self.map.tile(resident.stop));
        effects.push(Effect::Moved { bot: resident.bot, at, to, heading: resident.heading, kind });
    }
}
