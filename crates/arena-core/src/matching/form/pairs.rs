//! Pairs: each chooses in turn.

use super::crowd::Crowd;
use super::index::{Index, Most};
use super::turns::Window;
use super::{Formed, Looks};
use std::cmp::Reverse;

/// Humans choose in turn the human that they go best with. Whoever has found nobody among those it could look at is
/// compared with everybody who is left over, if it is its turn. Whoever is still left over takes the bot that has waited
/// longest.
pub(super) fn form(crowd: &Crowd<'_>, looks: Looks, tick: u64) -> Vec<Formed> {
    let mut pairs = Pairs {
        crowd,
        looks,
        humans: Index::new(crowd, 0..crowd.humans),
        bots: Index::new(crowd, crowd.humans..crowd.cards.len()),
        taken: vec![false; crowd.cards.len()],
        formed: Vec::new(),
    };
    let unsure = pairs.humans_choose();
    let turn = Window::new(&unsure, crowd, looks, tick);
    pairs.compare_humans(turn.now());
    if crowd.rules.bots_after_ms.is_some() && crowd.humans < crowd.cards.len() {
        let unsure = pairs.humans_take_bots(&turn);
        pairs.compare_bots(&unsure, &turn, tick);
    }
    pairs.formed
}

struct Pairs<'a> {
    crowd: &'a Crowd<'a>,
    looks: Looks,
    humans: Index,
    bots: Index,
    taken: Vec<bool>,
    formed: Vec<Formed>,
}

impl Pairs<'_> {
    /// Returns who has found nobody but has not looked at everybody who could be.
    fn humans_choose(&mut self) -> Vec<usize> {
        let later = longest_wait_after(self.crowd);
        let (mut unsure, mut found) = (Vec::new(), Vec::new());
        for (one, later) in later.into_iter().enumerate() {
            if self.taken[one] {
                continue;
            }
            found.clear();
            let sure = self.look_for_humans(one, &mut found);
            match self.best(one, &found) {
                Some(other) => self.pair(one, other),
                None if !sure => unsure.push(one),
                // Nobody that comes after it can want it, so nobody needs to look at it.
                None if self.crowd.cards[one].waited_ms >= later => self.humans.remove(one),
                None => {}
            }
        }
        unsure
    }

    /// Among those who say the same of all preferences first, then among all who agree on what is insisted on.
    fn look_for_humans(&mut self, one: usize, found: &mut Vec<usize>) -> bool {
        let Looks { scored, looked, .. } = self.looks;
        let (said, insists) = (self.crowd.said(one), self.crowd.insists(one));
        if said != insists {
            let most = Most { legal_a_list: scored.div_ceil(2), legal: scored.div_ceil(2), looked };
            self.humans.look(self.crowd, one, said, most, found);
        }
        let most = Most { legal_a_list: scored, legal: scored, looked };
        self.humans.look(self.crowd, one, insists, most, found)
    }

    fn best(&self, one: usize, found: &[usize]) -> Option<usize> {
        let points = |other: &usize| (self.crowd.points(one, *other).gained, Reverse(*other));
        found.iter().copied().max_by_key(points)
    }

    /// Compares these with all humans who are left over.
    fn compare_humans(&mut self, turn: &[usize]) {
        let left: Vec<usize> = (0..self.crowd.humans).filter(|one| !self.taken[*one]).collect();
        for one in turn.iter().copied() {
            if !self.taken[one] {
                let legal =
                    |other: &usize| *other != one && !self.taken[*other] && self.crowd.legal(one, *other);
                let found: Vec<usize> = left.iter().copied().filter(legal).collect();
                if let Some(other) = self.best(one, &found) {
                    self.pair(one, other);
                }
            }
        }
    }

    /// Returns who has found no bot but has not looked at every one that could be.
    fn humans_take_bots(&mut self, turn: &Window) -> Vec<usize> {
        let (mut unsure, mut found) = (Vec::new(), Vec::new());
        for one in 0..self.crowd.humans {
            if self.taken[one] || turn.is_later(one) {
                continue;
            }
            found.clear();
            let Looks { scored, looked, .. } = self.looks;
            // In the order of turns the first legal one of a list is the one that has waited longest.
            let legal_a_list = if self.crowd.rules.rating.is_some() { scored } else { 1 };
            let most = Most { legal_a_list, legal: usize::MAX, looked };
            let sure = self.bots.look(self.crowd, one, self.crowd.insists(one), most, &mut found);
            match found.iter().min() {
                Some(bot) => self.pair(one, *bot),
                None if !sure => unsure.push(one),
                None => {}
            }
        }
        unsure
    }

    /// Compares those with all bots whose turn it was to be compared with all humans, so that having both turns at once is
    /// no matter of luck; and some of the others.
    fn compare_bots(&mut self, unsure: &[usize], turn: &Window, tick: u64) {
        let (both, other): (Vec<usize>, Vec<usize>) = unsure.iter().partition(|one| turn.is_now(**one));
        let others = Window::new(&other, self.crowd, self.looks, tick);
        for one in both.iter().chain(others.now()).copied() {
            let mut bots = self.crowd.humans..self.crowd.cards.len();
            if let Some(bot) = bots.find(|bot| !self.taken[*bot] && self.crowd.legal(one, *bot)) {
                self.pair(one, bot);
            }
        }
    }

    fn pair(&mut self, one: usize, other: usize) {
        for rank in [one, other] {
            self.taken[rank] = true;
            self.humans.remove(rank);
            self.bots.remove(rank);
        }
        self.formed.push(Formed {
            teams: vec![vec![self.crowd.places[one]], vec![self.crowd.places[other]]],
            quality: self.crowd.points(one, other).quality(),
        });
    }
}

/// For each human, the longest wait of those who come after it. Only those who were let down come before longer waits.
fn longest_wait_after(crowd: &Crowd<'_>) -> Vec<u64> {
    let (mut longest, mut waits) = (0, vec![0; crowd.humans]);
    for one in (0..crowd.humans).rev() {
        waits[one] = longest;
        longest = longest.max(crowd.cards[one].waited_ms);
    }
    waits
}
