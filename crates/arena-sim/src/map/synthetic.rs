//! Towns of any size for benches and tests.

use super::TownMap;
use super::build::{Draft, DraftZone};
use crate::rng::Rng;

const ZONES: [&str; 5] = ["casino", "dark-alley", "suburb", "downtown", "underground"];
/// A block of houses and its streets, in tiles.
const BLOCK: usize = 16;
/// A zone's side, in tiles.
const DISTRICT: usize = 32;

impl TownMap {
    /// A town of blocks and streets, the same for the same size. Sides are brought within 32 and
    /// [`TownMap::MAX_SIDE`]. Zones are `casino`, `dark-alley`, …, then `casino-2` and so on, one for each 32×32
    /// tiles, or fewer and larger ones beyond 250.
    pub fn synthetic(width: u16, height: u16) -> TownMap {
        let width = width.clamp(DISTRICT as u16, TownMap::MAX_SIDE);
        let height = height.clamp(DISTRICT as u16, TownMap::MAX_SIDE);
        let (w, h) = (usize::from(width), usize::from(height));
        let mut blocked = vec![false; w * h];
        let mut rng = Rng::new(u64::from(width) << 16 | u64::from(height));
        for top in (0..h / BLOCK).map(|row| row * BLOCK) {
            for left in (0..w / BLOCK).map(|column| column * BLOCK) {
                house(&mut blocked, w, left, top, &mut rng);
            }
        }
        let zones = districts(w, h);
        let draft = Draft { width, height, blocked, zones, spots: Vec::new() };
        draft.build().expect("invariant: every street of a synthetic town is connected")
    }
}

/// Walls around most of a block, with a door on each of two sides and some furniture.
fn house(blocked: &mut [bool], width: usize, left: usize, top: usize, rng: &mut Rng) {
    let (near, far) = (2, BLOCK - 2);
    let mut set = |x: usize, y: usize, wall: bool| blocked[(top + y) * width + left + x] = wall;
    for n in near..=far {
        for (x, y) in [(n, near), (n, far), (near, n), (far, n)] {
            set(x, y, true);
        }
    }
    let door = |rng: &mut Rng| rng.within(near as u32 + 2, far as u32 - 2) as usize;
    set(door(rng), near, false);
    set(far, door(rng), false);
    for _ in 0..6 {
        let (x, y) =
            (rng.within(near as u32 + 2, far as u32 - 2), rng.within(near as u32 + 2, far as u32 - 2));
        set(x as usize, y as usize, true);
    }
}

fn districts(width: usize, height: usize) -> Vec<DraftZone> {
    let mut side = DISTRICT;
    while (width / side).max(1) * (height / side).max(1) > TownMap::MAX_ZONES {
        side += BLOCK;
    }
    let (columns, rows) = ((width / side).max(1), (height / side).max(1));
    let mut zones: Vec<DraftZone> = (0..columns * rows)
        .map(|n| {
            let (kind, round) = (ZONES[n % ZONES.len()], n / ZONES.len() + 1);
            let name = if round == 1 { kind.to_owned() } else { format!("{kind}-{round}") };
            DraftZone { name, tiles: Vec::new() }
        })
        .collect();
    for tile in 0..width * height {
        let (column, row) = ((tile % width / side).min(columns - 1), (tile / width / side).min(rows - 1));
        zones[row * columns + column].tiles.push(tile as u32);
    }
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synthetic_town_is_the_same_every_time() {
        let (one, two) = (TownMap::synthetic(256, 192), TownMap::synthetic(256, 192));
        assert_eq!(one.fingerprint(), two.fingerprint());
        assert_eq!(one.zones().len(), 48);
    }

    #[test]
    fn every_size_makes_a_town() {
        for (width, height) in [(1, 1), (33, 200), (512, 512), (u16::MAX, 40)] {
            let map = TownMap::synthetic(width, height);
            assert!(map.free_tiles() > 500 && map.zones().iter().all(|zone| !zone.spots.is_empty()));
        }
    }
}
