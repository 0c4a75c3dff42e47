//! What is near a tile, at a cost that does not grow with the crowd.

use super::{TileIndex, TownMap};
use crate::geometry::{Dir, Tile};

/// How far, in tiles, a place next to a taken one is looked for.
pub(crate) const NEAR: u16 = 12;
const REACH: i32 = NEAR as i32;
const SIDE: i32 = 2 * REACH + 1;
const WINDOW: usize = (SIDE * SIDE) as usize;

impl TownMap {
    /// The closest tile on foot that `accept` takes, within 12 tiles of a free tile. Ties are broken by the fixed
    /// order of the search.
    pub(crate) fn nearest(
        &self,
        from: TileIndex,
        mut accept: impl FnMut(TileIndex) -> bool,
    ) -> Option<TileIndex> {
        if accept(from) {
            return Some(from);
        }
        let mut seen = [false; WINDOW];
        let mut queue = [(0i8, 0i8, 0 as TileIndex); WINDOW];
        let (mut head, mut tail) = (0, 1);
        queue[0] = (0, 0, from);
        seen[WINDOW / 2] = true;
        while head < tail {
            let (dx, dy, tile) = queue[head];
            head += 1;
            for dir in Dir::ALL.into_iter().filter(|dir| self.open(tile, *dir)) {
                let (x, y) = shift(dx, dy, dir);
                if i32::from(x).abs() > REACH || i32::from(y).abs() > REACH {
                    continue;
                }
                let cell = &mut seen[((i32::from(y) + REACH) * SIDE + i32::from(x) + REACH) as usize];
                if std::mem::replace(cell, true) {
                    continue;
                }
                let next = self.neighbour(tile, dir);
                if accept(next) {
                    return Some(next);
                }
                queue[tail] = (x, y, next);
                tail += 1;
            }
        }
        None
    }

    /// The tile that `accept` takes, closest as the crow flies, over the whole map. For joins, which are rare.
    pub(crate) fn nearest_anywhere(
        &self,
        from: Tile,
        mut accept: impl FnMut(TileIndex) -> bool,
    ) -> Option<TileIndex> {
        let (cx, cy) = (i32::from(from.x.min(self.width - 1)), i32::from(from.y.min(self.height - 1)));
        let mut try_at = |x: i32, y: i32| {
            let tile = Tile { x: u16::try_from(x).ok()?, y: u16::try_from(y).ok()? };
            self.index(tile).filter(|index| self.free(*index) && accept(*index))
        };
        for ring in 0..i32::from(self.width.max(self.height)) {
            for offset in -ring..=ring {
                let found = try_at(cx + offset, cy - ring)
                    .or_else(|| try_at(cx + offset, cy + ring))
                    .or_else(|| try_at(cx - ring, cy + offset))
                    .or_else(|| try_at(cx + ring, cy + offset));
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// Whether nothing blocks the straight line between two tiles.
    pub(crate) fn sees(&self, from: Tile, to: Tile) -> bool {
        let (dx, dy) = (i32::from(to.x) - i32::from(from.x), i32::from(to.y) - i32::from(from.y));
        let steps = 2 * dx.abs().max(dy.abs());
        (1..steps).all(|n| {
            // Halves are rounded away from the start, the same on every machine: integers only.
            let at =
                |start: u16, way: i32| (i32::from(start) * 2 * steps + 2 * way * n + steps) / (2 * steps);
            self.is_free(Tile::new(at(from.x, dx) as u16, at(from.y, dy) as u16))
        })
    }
}

fn shift(dx: i8, dy: i8, dir: Dir) -> (i8, i8) {
    match dir {
        Dir::North => (dx, dy - 1),
        Dir::East => (dx + 1, dy),
        Dir::South => (dx, dy + 1),
        Dir::West => (dx - 1, dy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_block_the_view_and_open_ground_does_not() {
        let map = TownMap::town();
        assert!(map.sees(Tile::new(1, 15), Tile::new(60, 16)));
        assert!(!map.sees(Tile::new(30, 5), Tile::new(30, 15)));
    }

    #[test]
    fn the_nearest_place_is_the_tile_itself_if_it_will_do() {
        let map = TownMap::town();
        let from = map.index(Tile::new(30, 15)).unwrap();
        assert_eq!(map.nearest(from, |_| true), Some(from));
        let other = map.nearest(from, |tile| tile != from).unwrap();
        assert_eq!(map.tile(other).distance(Tile::new(30, 15)), 1);
        assert_eq!(map.nearest(from, |_| false), None);
    }
}
