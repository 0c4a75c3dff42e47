//! Who is in which team.

use super::crowd::Crowd;
use crate::matching::{Outcome, Rules};
use std::cmp::Reverse;

/// So many exchanges are tried to bring the strongest and the weakest team nearer; few are needed after a good beginning.
const EXCHANGES: usize = 32;

/// Whether parties of these sizes fit into the teams without being split.
pub(super) fn fits(rules: &Rules, sizes: &[u32]) -> bool {
    if sizes.iter().all(|size| *size == 1) {
        return sizes.len() as u64 <= u64::from(rules.users());
    }
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable_by_key(|size| Reverse(*size));
    first_fit(rules, &sizes).is_some()
}

/// The team of each, the largest parties first, each where there is room first.
fn first_fit(rules: &Rules, sizes: &[u32]) -> Option<Vec<usize>> {
    let mut room = vec![rules.team_size; rules.teams as usize];
    let place = |size: &u32| {
        let team = room.iter().position(|room| room >= size)?;
        room[team] -= size;
        Some(team)
    };
    sizes.iter().map(place).collect()
}

/// These in teams that are as strong as each other, parties whole. In a tournament everybody is a team, the strongest
/// first, then those of whom it is not known.
pub(super) fn teams(crowd: &Crowd<'_>, members: &[usize]) -> Vec<Vec<usize>> {
    let mut members = members.to_vec();
    let cards = &crowd.cards;
    if matches!(crowd.rules.outcome, Outcome::Tournament { .. }) {
        members.sort_by_key(|rank| (Reverse(cards[*rank].rating), *rank));
        return members.into_iter().map(|rank| vec![rank]).collect();
    }
    let strengths = Strengths::new(crowd, &members);
    members.sort_by_key(|rank| (Reverse(cards[*rank].size), Reverse(strengths.of(crowd, *rank)), *rank));
    let sizes: Vec<u32> = members.iter().map(|rank| cards[*rank].size.into()).collect();
    let places = strengths
        .spread(crowd, &members)
        .or_else(|| first_fit(crowd.rules, &sizes))
        .expect("invariant: only who fits is gathered");
    let mut teams = vec![Vec::new(); crowd.rules.teams as usize];
    for (rank, team) in members.into_iter().zip(places) {
        teams[team].push(rank);
    }
    strengths.exchange(crowd, &mut teams);
    teams
}

/// How strong tickets count. Of whom it is not known counts as the average of the others.
struct Strengths {
    average: i64,
}

impl Strengths {
    fn new(crowd: &Crowd<'_>, members: &[usize]) -> Strengths {
        let known: Vec<i64> =
            members.iter().filter_map(|rank| crowd.cards[*rank].rating).map(i64::from).collect();
        Strengths { average: known.iter().sum::<i64>() / (known.len() as i64).max(1) }
    }

    fn of(&self, crowd: &Crowd<'_>, rank: usize) -> i64 {
        let card = &crowd.cards[rank];
        card.rating.map_or(self.average, i64::from) * i64::from(card.size)
    }

    fn sum(&self, crowd: &Crowd<'_>, team: &[usize]) -> i64 {
        team.iter().map(|rank| self.of(crowd, *rank)).sum()
    }

    /// Each into the team that is weakest so far of those that have room. `None` if that splits a party.
    fn spread(&self, crowd: &Crowd<'_>, members: &[usize]) -> Option<Vec<usize>> {
        let teams = crowd.rules.teams as usize;
        let (mut room, mut sums) = (vec![crowd.rules.team_size; teams], vec![0_i64; teams]);
        let place = |rank: &usize| {
            let size = u32::from(crowd.cards[*rank].size);
            let open = (0..teams).filter(|team| room[*team] >= size);
            let team = open.min_by_key(|team| (sums[*team], Reverse(room[*team])))?;
            room[team] -= size;
            sums[team] += self.of(crowd, *rank);
            Some(team)
        };
        members.iter().map(place).collect()
    }

    /// Exchanges tickets of the same size between the strongest and the weakest team, as long as that brings them nearer.
    fn exchange(&self, crowd: &Crowd<'_>, teams: &mut [Vec<usize>]) {
        for _ in 0..EXCHANGES {
            let sum = |team: &usize| (self.sum(crowd, &teams[*team]), *team);
            let (Some(strong), Some(weak)) =
                ((0..teams.len()).max_by_key(sum), (0..teams.len()).min_by_key(sum))
            else {
                return;
            };
            let gap = sum(&strong).0 - sum(&weak).0;
            let Some((a, b)) = self.best_exchange(crowd, &teams[strong], &teams[weak], gap) else { return };
            (teams[strong][a], teams[weak][b]) = (teams[weak][b], teams[strong][a]);
        }
    }

    /// The exchange that leaves the smallest gap, if there is one that makes it smaller.
    fn best_exchange(
        &self,
        crowd: &Crowd<'_>,
        strong: &[usize],
        weak: &[usize],
        gap: i64,
    ) -> Option<(usize, usize)> {
        let pairs = (0..strong.len()).flat_map(|a| (0..weak.len()).map(move |b| (a, b)));
        let same_size = pairs.filter(|(a, b)| crowd.cards[strong[*a]].size == crowd.cards[weak[*b]].size);
        let left = |(a, b): &(usize, usize)| {
            (gap - 2 * (self.of(crowd, strong[*a]) - self.of(crowd, weak[*b]))).abs()
        };
        same_size.min_by_key(left).filter(|pair| left(pair) < gap)
    }
}
