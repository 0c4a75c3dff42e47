//! Who might go together, without looking at everybody.
//!
//! Tickets stand in lists of those that say the same of what has to be the same and of some of the preferences: of as many
//! as whoever looks insists on. A list is in the order of turns; where ratings count, those who have one stand in lists by
//! rating, and are looked at from the own one outwards. Whoever is gone is skipped.

use super::crowd::Crowd;
use std::collections::HashMap;
use std::ops::Range;

/// So many preferences make lists, those that are insisted on longest. Every one more would double the lists that have to
/// be looked into, as whoever leaves a preference out goes with all; the others are still checked.
pub(super) const INDEXED: usize = 3;

/// Bounds of a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// Legal ones that are enough from one list.
    pub legal_a_list: usize,
    /// Legal ones that are enough.
    pub legal: usize,
    /// Tickets that are looked at, legal or not.
    pub looked: usize,
}

/// Some of a crowd, in lists.
#[derive(Debug)]
pub(super) struct Index {
    ranks: Range<usize>,
    gone: Vec<bool>,
    /// By which preferences they are made; made when they are first asked for.
    by_mask: [Option<Lists>; 1 << INDEXED],
}

/// What those in a list have in common: what has to be the same, the preferences, and whether they have a rating.
type Key = (u32, [u32; INDEXED], bool);

#[derive(Debug)]
struct Lists {
    places: HashMap<Key, Range<usize>>,
    /// Who stands at each place.
    ranks: Vec<u32>,
    ratings: Vec<i32>,
    /// The next place, from this one on, that may be there still.
    up: Vec<usize>,
    /// One more than the last place, before this one, that may be there still.
    down: Vec<usize>,
}

impl Index {
    /// Of these, in the order of their turns.
    pub fn new(crowd: &Crowd<'_>, ranks: Range<usize>) -> Index {
        Index { gone: vec![false; crowd.cards.len()], ranks, by_mask: Default::default() }
    }

    /// Leaves somebody out from now on.
    pub fn remove(&mut self, rank: usize) {
        self.gone[rank] = true;
    }

    /// Adds those to `found` who may be matched with `one` and agree with it on the preferences of `mask`; the most alike
    /// come first. Returns whether nobody was passed over because there are too many to look at.
    pub fn look(
        &mut self,
        crowd: &Crowd<'_>,
        one: usize,
        mask: usize,
        most: Most,
        found: &mut Vec<usize>,
    ) -> bool {
        let here = self.ranks.clone().filter(|rank| !self.gone[*rank]);
        let lists = self.by_mask[mask].get_or_insert_with(|| Lists::new(crowd, here, mask));
        let (mut looked, before) = (0, found.len());
        for key in keys(crowd, one, mask) {
            let Some(mut walk) = lists.walk(&key, crowd.cards[one].rating) else { continue };
            let in_list = found.len();
            while let Some(rank) = walk.next(lists, &self.gone) {
                if rank == one {
                    continue;
                }
                looked += 1;
                if looked > most.looked {
                    return false;
                }
                if crowd.legal(one, rank) {
                    found.push(rank);
                }
                if found.len() - before >= most.legal {
                    return true;
                }
                if found.len() - in_list >= most.legal_a_list {
                    break;
                }
            }
        }
        true
    }
}

/// The lists in which those stand who agree with `one`: they say the same as it does, or leave something out.
fn keys(crowd: &Crowd<'_>, one: usize, mask: usize) -> impl Iterator<Item = Key> {
    let (own, rated) = (key(crowd, one, mask), crowd.rules.rating.is_some());
    let less = move |said: &usize| said.checked_sub(1).map(|fewer| fewer & mask);
    std::iter::successors(Some(mask), less).flat_map(move |said| {
        let values = std::array::from_fn(|nth| if said >> nth & 1 == 1 { own.1[nth] } else { 0 });
        let unrated = Some((own.0, values, false)).filter(|_| rated);
        std::iter::once((own.0, values, rated)).chain(unrated)
    })
}

/// The list in which somebody stands.
fn key(crowd: &Crowd<'_>, rank: usize, mask: usize) -> Key {
    let card = &crowd.cards[rank];
    let mut values = [0; INDEXED];
    for (nth, field) in crowd.indexed.iter().enumerate().filter(|(nth, _)| mask >> nth & 1 == 1) {
        values[nth] = card.prefer[*field];
    }
    (card.must, values, crowd.rules.rating.is_some() && card.rating.is_some())
}

impl Lists {
    fn new(crowd: &Crowd<'_>, ranks: impl Iterator<Item = usize>, mask: usize) -> Lists {
        let entry = |rank: usize| {
            let key = key(crowd, rank, mask);
            // Lists of those who are not compared by rating stay in the order of turns.
            let rating = crowd.cards[rank].rating.filter(|_| key.2).unwrap_or_default();
            (key, rating, rank as u32)
        };
        let mut all: Vec<(Key, i32, u32)> = ranks.map(entry).collect();
        all.sort_unstable();
        let (mut places, mut from) = (HashMap::new(), 0);
        for list in all.chunk_by(|one, other| one.0 == other.0) {
            places.insert(list[0].0, from..from + list.len());
            from += list.len();
        }
        Lists {
            places,
            ratings: all.iter().map(|(_, rating, _)| *rating).collect(),
            ranks: all.iter().map(|(.., rank)| *rank).collect(),
            up: (0..=all.len()).collect(),
            down: (0..=all.len()).collect(),
        }
    }

    /// A walk along a list: from the beginning, or where ratings count, from the nearest one outwards; whoever has none
    /// begins in the middle.
    fn walk(&self, key: &Key, rating: Option<i32>) -> Option<Walk> {
        let list = self.places.get(key)?.clone();
        if !key.2 {
            return Some(Walk { down: list.start, up: list.start, list, rating: 0 });
        }
        let ratings = &self.ratings[list.clone()];
        let rating = rating.unwrap_or(ratings[ratings.len() / 2]);
        let middle = list.start + ratings.partition_point(|other| *other < rating);
        Some(Walk { down: middle, up: middle, list, rating })
    }

    fn up(&mut self, mut at: usize, end: usize, gone: &[bool]) -> Option<usize> {
        while at < end {
            let skip = self.up[at];
            if skip != at {
                self.up[at] = self.up[skip];
                at = skip;
            } else if gone[self.ranks[at] as usize] {
                self.up[at] = at + 1;
            } else {
                return Some(at);
            }
        }
        None
    }

    fn down(&mut self, mut at: usize, start: usize, gone: &[bool]) -> Option<usize> {
        while at > start {
            let skip = self.down[at];
            if skip != at {
                self.down[at] = self.down[skip];
                at = skip;
            } else if gone[self.ranks[at - 1] as usize] {
                self.down[at] = at - 1;
            } else {
                return Some(at - 1);
            }
        }
        None
    }
}

/// Where a walk along a list has come to.
#[derive(Debug)]
struct Walk {
    list: Range<usize>,
    /// Every place from here on is still to come.
    up: usize,
    /// Every place before this one is still to come.
    down: usize,
    rating: i32,
}

impl Walk {
    fn next(&mut self, lists: &mut Lists, gone: &[bool]) -> Option<usize> {
        let up = lists.up(self.up, self.list.end, gone);
        let down = lists.down(self.down, self.list.start, gone);
        let away = |place: usize| lists.ratings[place].abs_diff(self.rating);
        let upwards = match (up, down) {
            (Some(up), Some(down)) => away(up) <= away(down),
            (up, _) => up.is_some(),
        };
        let place = if upwards { up? } else { down? };
        if upwards {
            self.up = place + 1;
        } else {
            self.down = place;
        }
        Some(lists.ranks[place] as usize)
    }
}
