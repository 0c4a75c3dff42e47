//! The town: what is free, which zone is where, the spots that residents like, and the ways between them.
//!
//! A map never changes once it is made, so all worlds of a process share one behind an `Arc`, and with it the
//! ways that were already searched.

mod build;
mod error;
mod field;
mod near;
mod synthetic;
mod tiled;

pub use error::MapError;
pub(crate) use near::NEAR;

use crate::geometry::{Dir, Pos, Tile};
use field::FieldCache;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock};

/// The town that ships with Arena, in Tiled's JSON format: 64×48 tiles and five zones.
pub const TOWN_JSON: &str = include_str!("../../maps/town.json");

/// A place in the tile arrays: `y * width + x`.
pub(crate) type TileIndex = u32;

/// Bit of `exits` that says that the tile itself is free; the four bits below are its free neighbours.
const FREE: u8 = 1 << 4;
/// Bit of `exits` that says that the tile is a spot of a zone.
const SPOT: u8 = 1 << 5;
/// Entry of `zone_of` for tiles outside every zone.
const NO_ZONE: u8 = u8::MAX;

/// A zone of one map, by its place in [`TownMap::zones`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneId(pub u8);

/// A named part of the town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its name, unique on the map.
    pub name: String,
    /// The top left tile of the rectangle around it.
    pub min: Tile,
    /// The bottom right tile of that rectangle, included.
    pub max: Tile,
    /// Tiles where residents like to stop; never empty.
    pub spots: Vec<Tile>,
}

/// An immutable map. See [`TownMap::from_tiled_json`].
#[derive(Debug)]
pub struct TownMap {
    width: u16,
    height: u16,
    exits: Box<[u8]>,
    zone_of: Box<[u8]>,
    zones: Vec<Zone>,
    free_tiles: u32,
    fingerprint: u64,
    fields: FieldCache,
}

impl TownMap {
    /// Longest side of a map, in tiles.
    pub const MAX_SIDE: u16 = 512;
    /// Most zones of a map.
    pub const MAX_ZONES: usize = 250;
    /// Most spots of all zones together. It bounds how many ways wanderers ever ask for.
    pub const MAX_SPOTS: usize = 2_048;

    /// The town that ships with Arena, made once for the whole process.
    pub fn town() -> Arc<TownMap> {
        static TOWN: LazyLock<Arc<TownMap>> = LazyLock::new(|| {
            let map =
                TownMap::from_tiled_json(TOWN_JSON).expect("invariant: the shipped town is a valid map");
            Arc::new(map)
        });
        Arc::clone(&TOWN)
    }

    /// Width in tiles.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Height in tiles.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Whether a resident can stand there. Tiles outside the map, and pockets that nobody can reach, are not free.
    pub fn is_free(&self, tile: Tile) -> bool {
        self.index(tile).is_some_and(|index| self.free(index))
    }

    /// How many tiles are free.
    pub fn free_tiles(&self) -> u32 {
        self.free_tiles
    }

    /// How many residents a world on this map may hold: half of its free tiles.
    pub fn max_residents(&self) -> u32 {
        self.free_tiles / 2
    }

    /// All zones; a [`ZoneId`] is a place in this list.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The zone with that id, if the map has it.
    pub fn zone(&self, id: ZoneId) -> Option<&Zone> {
        self.zones.get(usize::from(id.0))
    }

    /// The zone with that name.
    pub fn zone_named(&self, name: &str) -> Option<ZoneId> {
        self.zones.iter().position(|zone| zone.name == name).map(|at| ZoneId(at as u8))
    }

    /// The zone that a tile belongs to. Where zones overlap, the one that the map names first.
    pub fn zone_at(&self, tile: Tile) -> Option<ZoneId> {
        self.index(tile).and_then(|index| self.zone_of(index))
    }

    /// A number that two maps share only if residents live alike on them.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Bytes that searched ways hold at the moment; never more than the cache's budget.
    pub fn cached_bytes(&self) -> usize {
        self.fields.used_bytes()
    }

    /// Searches the ways to every spot now, so that no tick has to. Not needed: it only moves the work.
    pub fn warm(&self) {
        for spot in self.zones.iter().flat_map(|zone| &zone.spots) {
            let goal = self.index(*spot).expect("invariant: spots are on the map");
            self.fields.direction(self, goal, goal);
        }
    }

    pub(crate) fn index(&self, tile: Tile) -> Option<TileIndex> {
        let inside = tile.x < self.width && tile.y < self.height;
        inside.then(|| u32::from(tile.y) * u32::from(self.width) + u32::from(tile.x))
    }

    pub(crate) fn tile(&self, index: TileIndex) -> Tile {
        let width = u32::from(self.width);
        Tile { x: (index % width) as u16, y: (index / width) as u16 }
    }

    pub(crate) fn center(&self, index: TileIndex) -> Pos {
        self.tile(index).center()
    }

    pub(crate) fn len(&self) -> usize {
        self.exits.len()
    }

    pub(crate) fn free(&self, index: TileIndex) -> bool {
        self.exits[index as usize] & FREE != 0
    }

    fn is_spot(&self, index: TileIndex) -> bool {
        self.exits[index as usize] & SPOT != 0
    }

    pub(crate) fn zone_of(&self, index: TileIndex) -> Option<ZoneId> {
        match self.zone_of[index as usize] {
            NO_ZONE => None,
            zone => Some(ZoneId(zone)),
        }
    }

    /// Whether one can step that way from a free tile.
    pub(crate) fn open(&self, from: TileIndex, dir: Dir) -> bool {
        self.exits[from as usize] & (1 << dir as u8) != 0
    }

    /// The neighbour in that direction, which the caller knows to be on the map.
    pub(crate) fn neighbour(&self, from: TileIndex, dir: Dir) -> TileIndex {
        match dir {
            Dir::North => from - u32::from(self.width),
            Dir::East => from + 1,
            Dir::South => from + u32::from(self.width),
            Dir::West => from - 1,
        }
    }

    /// The first step of the shortest way from one free tile to another, if that way is cached or worth caching.
    pub(crate) fn cached_direction(&self, from: TileIndex, goal: TileIndex) -> Option<Dir> {
        self.fields.direction(self, from, goal)
    }

    /// The whole way, last step first. The same steps as [`Self::cached_direction`] gives one by one.
    pub(crate) fn path_reversed(&self, from: TileIndex, goal: TileIndex) -> Vec<u8> {
        field::path_reversed(self, from, goal)
    }

    #[cfg(test)]
    pub(crate) fn set_cache_budget(&mut self, bytes: usize) {
        self.fields = FieldCache::new(self.exits.len(), bytes);
    }
}
