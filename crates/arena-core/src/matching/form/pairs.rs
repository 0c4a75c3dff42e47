//! Pairs: each chooses in turn.

use super::Formed;
use super::crowd::Crowd;
use std::cmp::Reverse;

/// Humans choose in turn the human that they go best with. Whoever is left over takes the bot that has waited longest.
pub(super) fn form(crowd: &Crowd<'_>) -> Vec<Formed> {
    let mut taken = vec![false; crowd.cards.len()];
    let mut formed = Vec::new();
    for bots in [false, true] {
        for one in 0..crowd.humans {
            if taken[one] {
                continue;
            }
            let found = if bots {
                (crowd.humans..crowd.cards.len()).find(|bot| !taken[*bot] && crowd.legal(one, *bot))
            } else {
                let free = (one + 1..crowd.humans).filter(|other| !taken[*other] && crowd.legal(one, *other));
                free.max_by_key(|other| (crowd.points(one, *other).gained, Reverse(*other)))
            };
            if let Some(other) = found {
                (taken[one], taken[other]) = (true, true);
                formed.push(pair(crowd, one, other));
            }
        }
    }
    formed
}

fn pair(crowd: &Crowd<'_>, one: usize, other: usize) -> Formed {
    Formed {
        teams: vec![vec![crowd.cards[one].place], vec![crowd.cards[other].place]],
        quality: crowd.points(one, other).quality(),
    }
}
