//! Where a bot goes.

use super::sight::{Sight, Tile};
use fastrand::Rng;
use std::collections::VecDeque;

/// Tiles that could not be walked to: so many are remembered, and then the oldest is tried again.
const REFUSED: usize = 64;
/// Tiles that the bot has stood on.
const KNOWN: usize = 128;
/// How far a near place is, in tiles.
const NEAR: i64 = 6;
/// How many tiles are looked at until the bot stays where it is.
const LOOKS: usize = 12;

/// What a bot knows of the ground.
#[derive(Debug, Default)]
pub(super) struct Ground {
    refused: VecDeque<Tile>,
    known: VecDeque<Tile>,
    /// Refusals since it last got somewhere: then it keeps to places where others are.
    lost: u32,
}

impl Ground {
    /// The bot stands there.
    pub(super) fn stood(&mut self, tile: Tile) {
        if !self.known.contains(&tile) {
            remember(&mut self.known, tile, KNOWN);
        }
    }

    /// The way there was taken.
    pub(super) fn found(&mut self) {
        self.lost = 0;
    }

    /// There is no way there.
    pub(super) fn refused(&mut self, tile: Tile) {
        self.lost = self.lost.saturating_add(1);
        remember(&mut self.refused, tile, REFUSED);
    }

    /// A tile to walk to: mostly near, sometimes far, free as far as one can see.
    pub(super) fn next(&self, sight: &Sight, rng: &mut Rng) -> Option<Tile> {
        let here = sight.here()?;
        let trodden = sight.trodden();
        (0..LOOKS).map(|_| self.somewhere(here, sight, &trodden, rng)).find(|tile| {
            *tile != here && sight.is_on_map(*tile) && !sight.is_taken(*tile) && !self.refused.contains(tile)
        })
    }

    fn somewhere(&self, here: Tile, sight: &Sight, trodden: &[Tile], rng: &mut Rng) -> Tile {
        // Where somebody stood there is ground, and a free tile beside it most of the time.
        let sure = rng.f64() < if self.lost >= 3 { 0.9 } else { 0.2 };
        if sure {
            let near = |tile: Tile, rng: &mut Rng| around(tile, 1, rng);
            let known = self.known.iter().copied().filter(|tile| *tile != here);
            let places: Vec<Tile> = known.chain(trodden.iter().copied()).collect();
            if let Some(tile) = rng.choice(places) {
                return if rng.bool() { tile } else { near(tile, rng) };
            }
        }
        if rng.f64() < 0.7 {
            return around(here, NEAR, rng);
        }
        (rng.i64(0..sight.width.max(1)), rng.i64(0..sight.height.max(1)))
    }
}

fn around((x, y): Tile, distance: i64, rng: &mut Rng) -> Tile {
    (x + rng.i64(-distance..=distance), y + rng.i64(-distance..=distance))
}

fn remember(tiles: &mut VecDeque<Tile>, tile: Tile, most: usize) {
    if tiles.len() == most {
        tiles.pop_front();
    }
    tiles.push_back(tile);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_that_was_refused_is_not_gone_to_again() {
        let mut sight = Sight::default();
        let resident = json!({"id": "me", "x": 1, "y": 1});
        let snapshot = json!({"map": {"width": 3, "height": 3}, "residents": [resident]});
        sight.look(snapshot, "me").unwrap();
        let mut ground = Ground::default();
        let mut rng = Rng::with_seed(7);
        let open: Tile = (2, 0);
        for tile in (0..3).flat_map(|x| (0..3).map(move |y| (x, y))).filter(|tile| *tile != open) {
            ground.refused(tile);
        }
        let goals: Vec<Tile> = (0..200).filter_map(|_| ground.next(&sight, &mut rng)).collect();
        assert!(!goals.is_empty() && goals.iter().all(|goal| *goal == open), "{goals:?}");
        ground.refused(open);
        assert_eq!(ground.next(&sight, &mut rng), None);
    }
}
