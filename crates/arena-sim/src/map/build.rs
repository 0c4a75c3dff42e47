//! From walls, zones and spots to a checked map.

use super::field::{CACHE_BYTES, FieldCache};
use super::{FREE, MapError, NO_ZONE, SPOT, TileIndex, TownMap, Zone};
use crate::geometry::{Dir, Tile};
use crate::hash::Fnv;

/// Most spots that a zone gets if the map names none for it: one for each 24 of its free tiles.
const DEFAULT_SPOTS: usize = 48;
const TILES_A_SPOT: usize = 24;
/// Entry of the part list for tiles that no walk reached yet.
const NO_PART: u32 = u32::MAX;

/// A map as read, before it is checked.
pub(super) struct Draft {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) blocked: Vec<bool>,
    pub(super) zones: Vec<DraftZone>,
    pub(super) spots: Vec<DraftSpot>,
}

/// A zone's name and the tiles that its shape covers.
pub(super) struct DraftZone {
    pub(super) name: String,
    pub(super) tiles: Vec<TileIndex>,
}

/// A place where residents shall like to stop.
pub(super) struct DraftSpot {
    pub(super) id: u64,
    pub(super) at: Tile,
}

impl Draft {
    /// Checks the draft and makes the map of it. Its sides are within the limits and its lists fit them.
    pub(super) fn build(mut self) -> Result<TownMap, MapError> {
        if self.zones.is_empty() {
            return Err(MapError::NoZones);
        }
        check_count("zones", self.zones.len(), TownMap::MAX_ZONES)?;
        check_count("spots", self.spots.len(), TownMap::MAX_SPOTS)?;
        let zone_of = self.assign_zones()?;
        self.close_pockets(&zone_of)?;
        let zones = self.place_spots(&zone_of)?;
        let exits = self.exits(&zones);
        let free_tiles = exits.iter().filter(|exits| **exits & FREE != 0).count() as u32;
        let fingerprint = fingerprint(self.width, &exits, &zone_of, &zones);
        let fields = FieldCache::new(exits.len(), CACHE_BYTES);
        let (width, height) = (self.width, self.height);
        Ok(TownMap { width, height, exits, zone_of, zones, free_tiles, fingerprint, fields })
    }

    fn assign_zones(&self) -> Result<Box<[u8]>, MapError> {
        let mut zone_of = vec![NO_ZONE; self.blocked.len()].into_boxed_slice();
        for (id, zone) in self.zones.iter().enumerate() {
            if self.zones[..id].iter().any(|other| other.name == zone.name) {
                return Err(MapError::DuplicateZone(zone.name.clone()));
            }
            let mut free = 0;
            for tile in &zone.tiles {
                let entry = &mut zone_of[*tile as usize];
                if *entry == NO_ZONE {
                    *entry = id as u8;
                    free += usize::from(!self.blocked[*tile as usize]);
                }
            }
            if free == 0 {
                return Err(MapError::ZoneBlocked(zone.name.clone()));
            }
        }
        Ok(zone_of)
    }

    /// Blocks every free tile outside the largest connected part, after checking that each zone shares in that part.
    fn close_pockets(&mut self, zone_of: &[u8]) -> Result<(), MapError> {
        let (parts, largest) = self.parts();
        let mut reached = vec![false; self.zones.len()];
        for (part, zone) in parts.iter().zip(zone_of) {
            if *part == largest && *zone != NO_ZONE {
                reached[usize::from(*zone)] = true;
            }
        }
        if let Some(zone) = reached.iter().position(|reached| !reached) {
            return Err(MapError::ZoneUnreachable(self.zones[zone].name.clone()));
        }
        for (blocked, part) in self.blocked.iter_mut().zip(&parts) {
            *blocked = *part != largest;
        }
        Ok(())
    }

    /// The connected part of each tile, and which part is the largest.
    fn parts(&self) -> (Vec<u32>, u32) {
        let mut parts = vec![NO_PART; self.blocked.len()];
        let mut stack = Vec::new();
        let (mut count, mut best, mut best_size) = (0, 0, 0);
        for start in 0..self.blocked.len() {
            if self.blocked[start] || parts[start] != NO_PART {
                continue;
            }
            let mut size = 0;
            parts[start] = count;
            stack.push(start);
            while let Some(tile) = stack.pop() {
                size += 1;
                for next in Dir::ALL.into_iter().filter_map(|dir| self.step(tile, dir)) {
                    if !self.blocked[next] && parts[next] == NO_PART {
                        parts[next] = count;
                        stack.push(next);
                    }
                }
            }
            if size > best_size {
                (best, best_size) = (count, size);
            }
            count += 1;
        }
        (parts, best)
    }

    fn step(&self, tile: usize, dir: Dir) -> Option<usize> {
        let width = usize::from(self.width);
        match dir {
            Dir::North => tile.checked_sub(width),
            Dir::East => (tile % width + 1 < width).then_some(tile + 1),
            Dir::South => (tile + width < self.blocked.len()).then_some(tile + width),
            Dir::West => (!tile.is_multiple_of(width)).then(|| tile - 1),
        }
    }

    fn place_spots(&mut self, zone_of: &[u8]) -> Result<Vec<Zone>, MapError> {
        let mut spots: Vec<Vec<Tile>> = vec![Vec::new(); self.zones.len()];
        for spot in &self.spots {
            let index = usize::from(spot.at.y) * usize::from(self.width) + usize::from(spot.at.x);
            let refuse = |problem| {
                let (x, y) = (spot.at.x.into(), spot.at.y.into());
                Err(MapError::Spot { id: spot.id, x, y, problem })
            };
            match zone_of[index] {
                _ if self.blocked[index] => return refuse("is on a blocked tile or cannot be reached"),
                NO_ZONE => return refuse("is in no zone"),
                zone => spots[usize::from(zone)].push(spot.at),
            }
        }
        // Zones without spots share what the limit leaves, at least one each (there are fewer zones than spots).
        let bare = spots.iter().filter(|spots| spots.is_empty()).count().max(1);
        let share = (TownMap::MAX_SPOTS.saturating_sub(self.spots.len()) / bare).clamp(1, DEFAULT_SPOTS);
        let zones = std::mem::take(&mut self.zones);
        let named = zones.into_iter().zip(spots).enumerate();
        Ok(named.map(|(id, (zone, spots))| self.zone(id as u8, zone, spots, share, zone_of)).collect())
    }

    fn zone(&self, id: u8, draft: DraftZone, spots: Vec<Tile>, share: usize, zone_of: &[u8]) -> Zone {
        let tile = |index: TileIndex| {
            let width = u32::from(self.width);
            Tile::new((index % width) as u16, (index / width) as u16)
        };
        let own = |index: &TileIndex| zone_of[*index as usize] == id && !self.blocked[*index as usize];
        let free: Vec<TileIndex> = draft.tiles.iter().copied().filter(own).collect();
        let spots = if spots.is_empty() {
            let count = (free.len() / TILES_A_SPOT).clamp(1, share);
            (0..count).map(|n| tile(free[(2 * n + 1) * free.len() / (2 * count)])).collect()
        } else {
            spots
        };
        let all = || draft.tiles.iter().map(|index| tile(*index));
        let min = Tile::new(all().map(|t| t.x).min().unwrap_or(0), all().map(|t| t.y).min().unwrap_or(0));
        let max = Tile::new(all().map(|t| t.x).max().unwrap_or(0), all().map(|t| t.y).max().unwrap_or(0));
        Zone { name: draft.name, min, max, spots }
    }

    fn exits(&self, zones: &[Zone]) -> Box<[u8]> {
        let exits_of = |tile: usize| {
            if self.blocked[tile] {
                return 0;
            }
            let open = |dir: &Dir| self.step(tile, *dir).is_some_and(|next| !self.blocked[next]);
            Dir::ALL.into_iter().filter(open).fold(FREE, |exits, dir| exits | (1 << dir as u8))
        };
        let mut exits: Box<[u8]> = (0..self.blocked.len()).map(exits_of).collect();
        for spot in zones.iter().flat_map(|zone| &zone.spots) {
            exits[usize::from(spot.y) * usize::from(self.width) + usize::from(spot.x)] |= SPOT;
        }
        exits
    }
}

fn check_count(what: &'static str, got: usize, limit: usize) -> Result<(), MapError> {
    if got > limit { Err(MapError::TooMany { what, got, limit }) } else { Ok(()) }
}

fn fingerprint(width: u16, exits: &[u8], zone_of: &[u8], zones: &[Zone]) -> u64 {
    let mut hash = Fnv::new();
    hash.bytes(&width.to_le_bytes());
    hash.bytes(exits);
    hash.bytes(zone_of);
    for zone in zones {
        hash.bytes(zone.name.as_bytes());
        hash.bytes(&[0]);
        for spot in &zone.spots {
            hash.bytes(&spot.x.to_le_bytes());
            hash.bytes(&spot.y.to_le_bytes());
        }
    }
    hash.finish()
}
