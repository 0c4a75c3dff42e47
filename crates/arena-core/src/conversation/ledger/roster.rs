//! Who may speak, in the order of turns.

use serde::{Deserialize, Serialize};

/// Places of people, each once; where somebody stands is known without looking through all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<usize>", into = "Vec<usize>")]
pub(super) struct Roster {
    order: Vec<usize>,
    /// Where in `order` each place stands, up to the highest one that does.
    stands: Vec<Option<usize>>,
}

impl Roster {
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.order.iter().copied()
    }

    pub fn contains(&self, seat: usize) -> bool {
        self.position(seat).is_some()
    }

    fn position(&self, seat: usize) -> Option<usize> {
        self.stands.get(seat).copied().flatten()
    }

    /// All of them: those after this one first, and this one last.
    pub fn after(&self, seat: Option<usize>) -> impl Iterator<Item = usize> {
        let last = seat.and_then(|seat| self.position(seat));
        let (before, after) = self.order.split_at(last.map_or(0, |last| last + 1));
        after.iter().chain(before).copied()
    }

    /// At the end, if they are not there already.
    pub fn push(&mut self, seat: usize) {
        if !self.contains(seat) {
            self.stand(seat, self.order.len());
            self.order.push(seat);
        }
    }

    pub fn remove(&mut self, seat: usize) {
        self.order.retain(|other| *other != seat);
        *self = Roster::from(std::mem::take(&mut self.order));
    }

    fn stand(&mut self, seat: usize, at: usize) {
        if self.stands.len() <= seat {
            self.stands.resize(seat + 1, None);
        }
        self.stands[seat] = Some(at);
    }
}

impl From<Vec<usize>> for Roster {
    fn from(order: Vec<usize>) -> Roster {
        let mut roster = Roster::default();
        order.into_iter().for_each(|seat| roster.push(seat));
        roster
    }
}

impl From<Roster> for Vec<usize> {
    fn from(roster: Roster) -> Vec<usize> {
        roster.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_stands_where_the_order_says() {
        let mut roster = Roster::from(vec![4, 0, 2]);
        roster.push(0);
        roster.push(7);
        roster.remove(0);
        assert_eq!(roster.iter().collect::<Vec<_>>(), [4, 2, 7]);
        let there = |seat: &usize| roster.contains(*seat);
        assert_eq!((0..9).filter(there).collect::<Vec<_>>(), [2, 4, 7]);
        assert_eq!(roster.after(Some(2)).collect::<Vec<_>>(), [7, 4, 2]);
        assert_eq!(roster.after(Some(0)).collect::<Vec<_>>(), [4, 2, 7]);
        roster.remove(7);
        assert_eq!(roster, Roster::from(vec![4, 2]), "the same by whatever way");
    }
}
