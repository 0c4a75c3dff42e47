//! Which games there are.

use super::{Format, Tournament};

/// Who plays on a side of a game.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A place in the list of entrants.
    Entrant(usize),
    /// The number of a game before.
    WinnerOf(u32),
}

/// A game before anything is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pairing {
    pub round: u32,
    pub a: Side,
    pub b: Side,
}

impl Tournament {
    /// All games in the order of their numbers. A game comes after those that its players come from.
    pub(super) fn schedule(&self) -> Vec<Pairing> {
        match self.format {
            Format::SingleElimination => bracket(self.entrants.len()),
            Format::RoundRobin => circle(self.entrants.len()),
        }
    }

    /// How many rounds there are.
    pub fn rounds(&self) -> u32 {
        self.schedule().last().map_or(0, |last| last.round)
    }
}

/// Places in a bracket of a power of two, so that the strongest meet last: wherever one of the best 2^k stands, no other of
/// them is in its part. Each entrant of the bracket of half the size is given the opponent that makes their sum constant.
fn seeding(size: usize) -> Vec<usize> {
    let mut places = vec![0];
    while places.len() < size {
        let sum = places.len() * 2 - 1;
        places = places.into_iter().flat_map(|seed| [seed, sum - seed]).collect();
    }
    places
}

/// Single elimination. Where there is nobody to play against, one goes on without a game: it is the strongest who do.
fn bracket(entrants: usize) -> Vec<Pairing> {
    let seeds = seeding(entrants.next_power_of_two()).into_iter();
    let mut slots: Vec<Option<Side>> =
        seeds.map(|seed| (seed < entrants).then_some(Side::Entrant(seed))).collect();
    let (mut games, mut round) = (Vec::new(), 1);
    while slots.len() > 1 {
        let next = slots.chunks(2).map(|two| match two {
            [Some(a), Some(b)] => {
                games.push(Pairing { round, a: *a, b: *b });
                Some(Side::WinnerOf(games.len() as u32))
            }
            _ => two.iter().flatten().next().copied(),
        });
        slots = next.collect();
        round += 1;
    }
    games
}

/// Everybody against everybody by the circle method: one stays, the others move on by a place each round. With an odd
/// number of entrants one rests in each round.
fn circle(entrants: usize) -> Vec<Pairing> {
    let places = entrants + entrants % 2;
    let moving = places.saturating_sub(1);
    let mut games = Vec::new();
    for round in 0..moving {
        let at = |place: usize| if place == 0 { 0 } else { 1 + (place - 1 + round) % moving };
        for place in 0..places / 2 {
            let (one, other) = (at(place), at(places - 1 - place));
            if one.max(other) < entrants {
                let (a, b) = (Side::Entrant(one.min(other)), Side::Entrant(one.max(other)));
                games.push(Pairing { round: round as u32 + 1, a, b });
            }
        }
    }
    games
}
