//! Matches of more than two: around the one who has waited longest.

use super::crowd::Crowd;
use super::index::{Index, Most};
use super::turns::Window;
use super::{Formed, Looks, packing};
use crate::matching::Outcome;
use std::cmp::Reverse;

/// Humans first: around each in turn a match is gathered of those who are all legal with each other. Where humans are too
/// few, bots fill in; a tournament may be of bots alone, as long as no human waits who could be in it.
///
/// Who fits best is taken first, which is quick and good but no proof that nothing else would fit: what fails is tried from
/// another beginning in every call.
pub(super) fn form(crowd: &Crowd<'_>, looks: Looks, tick: u64) -> Vec<Formed> {
    let mut teams = Teams {
        crowd,
        looks,
        tick,
        users: crowd.rules.users(),
        humans: Index::new(crowd, 0..crowd.humans),
        bots: Index::new(crowd, crowd.humans..crowd.cards.len()),
        taken: vec![false; crowd.cards.len()],
        comparisons: 0,
        formed: Vec::new(),
    };
    teams.gather();
    teams.formed
}

/// Who may be in a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    Humans,
    /// Humans who may be given bots, and bots.
    Both,
    Bots,
}

/// What came of trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Made,
    Nobody,
    /// Nobody among so many as were looked at.
    Unsure,
}

struct Teams<'a> {
    crowd: &'a Crowd<'a>,
    looks: Looks,
    tick: u64,
    users: u32,
    humans: Index,
    bots: Index,
    taken: Vec<bool>,
    /// So many are left before the others have to wait for the next call.
    comparisons: usize,
    formed: Vec<Formed>,
}

impl Teams<'_> {
    fn gather(&mut self) {
        let (humans, all) = (self.crowd.humans, self.crowd.cards.len());
        let turn = self.gather_around(0..humans, Among::Humans);
        let Some(after) = self.crowd.rules.bots_after_ms.filter(|_| humans < all) else { return };
        let patient = |one: &usize| self.crowd.cards[*one].waited_ms >= after && !turn.is_later(*one);
        let patient: Vec<usize> = (0..humans).filter(patient).collect();
        self.gather_around(patient, Among::Both);
        if matches!(self.crowd.rules.outcome, Outcome::Tournament { .. }) {
            let mut waited_for: Vec<u32> =
                (0..humans).filter(|one| !self.taken[*one]).map(|one| self.crowd.cards[one].must).collect();
            waited_for.sort_unstable();
            let free = |bot: &usize| waited_for.binary_search(&self.crowd.cards[*bot].must).is_err();
            let free: Vec<usize> = (humans..all).filter(free).collect();
            self.gather_around(free, Among::Bots);
        }
    }

    /// Tries each, and those again who have not seen everybody, if it is their turn.
    fn gather_around(&mut self, ranks: impl IntoIterator<Item = usize>, among: Among) -> Window {
        let mut unsure = Vec::new();
        self.allow_comparisons();
        for one in ranks {
            if !self.taken[one] && self.around(one, among, false) == Tried::Unsure {
                unsure.push(one);
            }
        }
        let turn = Window::new(&unsure, self.crowd, self.looks, self.tick);
        self.allow_comparisons();
        for one in turn.now().iter().copied() {
            if !self.taken[one] {
                self.around(one, among, true);
            }
        }
        turn
    }

    /// A multiple of n log n, and enough for one match.
    fn allow_comparisons(&mut self) {
        let (all, users) = (self.crowd.cards.len(), self.users as usize);
        let log = all.max(1).ilog2() as usize + 1;
        self.comparisons = (self.looks.compared * all * log).max(4 * users * users);
    }

    /// Tries to gather a match around somebody: twice, if the best ones do not go together.
    fn around(&mut self, one: usize, among: Among, everybody: bool) -> Tried {
        let (mut found, sure) = self.candidates(one, among, everybody);
        let humans = found.partition_point(|rank| *rank < self.crowd.humans);
        let again = if humans > 1 { 1 + self.tick as usize % (humans - 1) } else { 0 };
        for turned in [0, again] {
            if self.comparisons == 0 {
                return Tried::Unsure;
            }
            if let Some(members) = self.complete(one, &found) {
                self.make(&members);
                return Tried::Made;
            }
            if again == 0 {
                break;
            }
            if turned == 0 {
                found[..humans].rotate_left(again);
            }
        }
        if sure { Tried::Nobody } else { Tried::Unsure }
    }

    /// Who might be in a match with somebody: humans, who fits best first, then bots, who has waited longest first.
    fn candidates(&mut self, one: usize, among: Among, everybody: bool) -> (Vec<usize>, bool) {
        let (crowd, mask) = (self.crowd, self.crowd.insists(one));
        let most = self.most(everybody);
        let (mut humans, mut bots, mut sure) = (Vec::new(), Vec::new(), true);
        if among != Among::Bots {
            sure &= self.humans.look(crowd, one, mask, most, &mut humans);
            if among == Among::Both {
                let after = crowd.rules.bots_after_ms.unwrap_or(u64::MAX);
                humans.retain(|human| crowd.cards[*human].waited_ms >= after);
            }
            humans.sort_by_cached_key(|human| (Reverse(crowd.points(one, *human).gained), *human));
        }
        if among != Among::Humans {
            sure &= self.bots.look(crowd, one, mask, most, &mut bots);
            bots.sort_unstable();
        }
        humans.append(&mut bots);
        (humans, sure)
    }

    fn most(&self, everybody: bool) -> Most {
        if everybody {
            return Most { legal_a_list: usize::MAX, legal: usize::MAX, looked: usize::MAX };
        }
        let users = self.users as usize;
        let legal = 2 * users + self.looks.scored;
        Most { legal_a_list: legal, legal, looked: 4 * users + self.looks.looked }
    }

    /// Takes one candidate after the other that fits, until the match is full.
    fn complete(&mut self, one: usize, candidates: &[usize]) -> Option<Vec<usize>> {
        let size = |rank: usize| u32::from(self.crowd.cards[rank].size);
        let (mut members, mut sizes, mut users) = (vec![one], vec![size(one)], size(one));
        let possible: u32 = candidates.iter().map(|rank| size(*rank)).sum();
        if users + possible < self.users {
            return None;
        }
        for rank in candidates.iter().copied() {
            if users == self.users {
                break;
            }
            sizes.push(size(rank));
            self.comparisons = self.comparisons.saturating_sub(members.len());
            let room = users + size(rank) <= self.users && packing::fits(self.crowd.rules, &sizes);
            if room && members.iter().all(|member| self.go_together(one, *member, rank)) {
                members.push(rank);
                users += size(rank);
            } else {
                sizes.pop();
            }
        }
        (users == self.users).then_some(members)
    }

    /// Bots that fill in around a human are not matched with each other; all else has to be right between them too.
    fn go_together(&self, around: usize, member: usize, rank: usize) -> bool {
        let cards = &self.crowd.cards;
        if cards[around].human && !cards[member].human && !cards[rank].human {
            return self.crowd.agree(member, rank);
        }
        self.crowd.legal(member, rank)
    }

    fn make(&mut self, members: &[usize]) {
        for rank in members.iter().copied() {
            self.taken[rank] = true;
            self.humans.remove(rank);
            self.bots.remove(rank);
        }
        let teams = packing::teams(self.crowd, members).into_iter();
        let place = |rank: usize| self.crowd.places[rank];
        let teams = teams.map(|team| team.into_iter().map(place).collect()).collect();
        self.formed.push(Formed { teams, quality: self.crowd.quality(members) });
    }
}
