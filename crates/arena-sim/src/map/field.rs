//! Ways. A flow field says for every tile which step leads to one goal: one breadth-first search serves every
//! walker with that goal, however many there are, at two bits a tile.

use super::{TileIndex, TownMap};
use crate::geometry::Dir;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all fields of one map may hold: on the 64×48 town every goal at once, on a 512×512 map 1,024 goals.
pub(super) const CACHE_BYTES: usize = 64 * 1024 * 1024;

const UNSEEN: u8 = u8::MAX;

/// The fields that were searched so far. Which ones are cached depends on who asked first; what a walker does
/// never does, because [`path_reversed`] takes the same steps.
#[derive(Debug)]
pub(super) struct FieldCache {
    fields: Box<[OnceLock<Box<[u8]>>]>,
    used: AtomicUsize,
    budget: usize,
}

impl FieldCache {
    pub(super) fn new(tiles: usize, budget: usize) -> FieldCache {
        FieldCache {
            fields: (0..tiles).map(|_| OnceLock::new()).collect(),
            used: AtomicUsize::new(0),
            budget,
        }
    }

    pub(super) fn used_bytes(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// The step from a tile towards a goal; `None` if the field is not cached and no longer fits.
    pub(super) fn direction(&self, map: &TownMap, from: TileIndex, goal: TileIndex) -> Option<Dir> {
        let slot = &self.fields[goal as usize];
        let field = match slot.get() {
            Some(field) => field,
            None => self.fill(slot, map, goal)?,
        };
        Some(Dir::from_bits(field[from as usize / 4] >> (from % 4 * 2)))
    }

    #[cold]
    fn fill<'a>(&self, slot: &'a OnceLock<Box<[u8]>>, map: &TownMap, goal: TileIndex) -> Option<&'a [u8]> {
        let bytes = map.len().div_ceil(4);
        // Where not every goal fits, the budget is for the spots, which everyone comes back to.
        let holds_every_goal = bytes * map.len() <= self.budget;
        if !holds_every_goal && !map.is_spot(goal) {
            return None;
        }
        let fits = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.budget);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        let mut searched = false;
        let field = slot.get_or_init(|| {
            searched = true;
            pack(&search(map, goal, None))
        });
        if !searched {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
        Some(field)
    }
}

/// Breadth-first from the goal, giving each tile the step back. It may stop once `until` is reached: all tiles on
/// the way from there have their step by then, and it never changes.
fn search(map: &TownMap, goal: TileIndex, until: Option<TileIndex>) -> Vec<u8> {
    let mut dirs = vec![UNSEEN; map.len()];
    let mut queue = Vec::with_capacity(256);
    dirs[goal as usize] = 0;
    queue.push(goal);
    let mut head = 0;
    while head < queue.len() {
        let tile = queue[head];
        head += 1;
        if Some(tile) == until {
            break;
        }
        for dir in Dir::ALL {
            if map.open(tile, dir) {
                let next = map.neighbour(tile, dir);
                if dirs[next as usize] == UNSEEN {
                    dirs[next as usize] = dir.opposite() as u8;
                    queue.push(next);
                }
            }
        }
    }
    dirs
}

fn pack(dirs: &[u8]) -> Box<[u8]> {
    let byte = |four: &[u8]| four.iter().enumerate().fold(0, |byte, (n, dir)| byte | (dir & 3) << (2 * n));
    dirs.chunks(4).map(byte).collect()
}

/// The steps from a tile to a goal, last step first.
pub(super) fn path_reversed(map: &TownMap, from: TileIndex, goal: TileIndex) -> Vec<u8> {
    let dirs = search(map, goal, Some(from));
    let mut steps = Vec::new();
    let mut at = from;
    while at != goal {
        let step = dirs[at as usize];
        steps.push(step);
        at = map.neighbour(at, Dir::from_bits(step));
    }
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn a_path_takes_the_same_steps_as_the_cached_field() {
        let map = TownMap::town();
        let free: Vec<u32> = (0..map.len() as u32).filter(|tile| map.free(*tile)).collect();
        let mut rng = Rng::new(5);
        for _ in 0..300 {
            let (from, goal) = (*rng.pick(&free).unwrap(), *rng.pick(&free).unwrap());
            let mut path = path_reversed(&map, from, goal);
            let mut at = from;
            while at != goal {
                let dir = map.cached_direction(at, goal).unwrap();
                assert_eq!(path.pop(), Some(dir as u8));
                at = map.neighbour(at, dir);
                assert!(map.free(at));
            }
            assert!(path.is_empty());
        }
    }

    #[test]
    fn the_cache_stays_within_its_budget() {
        let mut map = TownMap::from_tiled_json(crate::TOWN_JSON).unwrap();
        map.set_cache_budget(2 * map.len() / 4);
        let spots: Vec<u32> =
            map.zones()[0].spots.iter().filter_map(|spot| map.index(*spot)).take(5).collect();
        let cached = spots.iter().filter(|goal| map.cached_direction(spots[0], **goal).is_some()).count();
        assert_eq!((cached, map.cached_bytes()), (2, 2 * map.len() / 4));
    }
}
