//! Who is where.

use super::{Format, Game, Tournament};
use crate::conversation::ParticipantId;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Points for a game that is won, as in most leagues; a draw is one.
const WIN: u32 = 3;

/// Where an entrant is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Counts from 1. Those who were put out in the same round share it.
    pub rank: u32,
    /// Who.
    pub user: ParticipantId,
    /// Its place among the entrants, from 1.
    pub seed: u32,
    /// The last round that it has come to; one more than there are if it has won all of an elimination.
    pub round: u32,
    /// Games that have ended.
    pub played: u32,
    /// Of them.
    pub won: u32,
    /// Of them.
    pub drawn: u32,
    /// Of them.
    pub lost: u32,
    /// 3 for each that is won, 1 for each that is drawn.
    pub points: u32,
    /// What it has scored in all games.
    pub scored: u64,
    /// What others have scored against it.
    pub conceded: u64,
    /// It has left.
    pub withdrawn: bool,
}

impl Tournament {
    /// Where everybody is, best first. A round robin goes by points, then by the difference of scores, then by the points
    /// of the games of those who are equal so far among themselves, then by seed; an elimination by the round that was
    /// reached, then by seed.
    pub fn standings(&self) -> Vec<Standing> {
        let games = self.games();
        let mut table: Vec<Standing> =
            self.entrants.iter().zip(1..).map(|(user, seed)| self.standing(user, seed)).collect();
        let places: BTreeMap<&ParticipantId, usize> =
            self.entrants.iter().enumerate().map(|(place, user)| (user, place)).collect();
        for game in &games {
            count(game, &mut table, &places);
        }
        match self.format {
            Format::SingleElimination => {
                let won = games.last().and_then(|last| last.result.as_ref()?.winner.as_ref());
                if let Some(champion) = won.and_then(|user| places.get(user)) {
                    table[*champion].round += 1;
                }
                rank_by_round(&mut table);
            }
            Format::RoundRobin => rank_by_points(&mut table, &games),
        }
        table
    }

    fn standing(&self, user: &ParticipantId, seed: u32) -> Standing {
        Standing {
            rank: 0,
            user: user.clone(),
            seed,
            round: 0,
            played: 0,
            won: 0,
            drawn: 0,
            lost: 0,
            points: 0,
            scored: 0,
            conceded: 0,
            withdrawn: self.withdrawn.contains(user),
        }
    }
}

fn count(game: &Game, table: &mut [Standing], places: &BTreeMap<&ParticipantId, usize>) {
    for (user, first) in [(&game.a, true), (&game.b, false)] {
        if let Some(place) = user.as_ref().and_then(|user| places.get(user)) {
            table[*place].round = table[*place].round.max(game.round);
            table[*place].take(game, first);
        }
    }
}

impl Standing {
    /// Counts a game on whose first or second side it is.
    fn take(&mut self, game: &Game, first: bool) {
        let Some(result) = &game.result else { return };
        self.played += 1;
        match &result.winner {
            Some(winner) if *winner == self.user => self.won += 1,
            None if !result.forfeit => self.drawn += 1,
            _ => self.lost += 1,
        }
        self.points = WIN * self.won + self.drawn;
        let (a, b) = result.score.unwrap_or_default();
        self.scored += u64::from(if first { a } else { b });
        self.conceded += u64::from(if first { b } else { a });
    }

    fn difference(&self) -> i128 {
        i128::from(self.scored) - i128::from(self.conceded)
    }
}

fn rank_by_round(table: &mut [Standing]) {
    table.sort_by_key(|standing| (Reverse(standing.round), standing.seed));
    let (mut rank, mut round) = (0, None);
    for (standing, place) in table.iter_mut().zip(1..) {
        if round != Some(standing.round) {
            (rank, round) = (place, Some(standing.round));
        }
        standing.rank = rank;
    }
}

fn rank_by_points(table: &mut [Standing], games: &[Game]) {
    let so_far = |standing: &Standing| (Reverse(standing.points), Reverse(standing.difference()));
    table.sort_by_key(|standing| (so_far(standing), standing.seed));
    for equal in table.chunk_by_mut(|one, other| so_far(one) == so_far(other)).filter(|equal| equal.len() > 1)
    {
        let among = points_among(equal, games);
        equal.sort_by_key(|standing| (Reverse(among.get(&standing.user).copied()), standing.seed));
    }
    table.iter_mut().zip(1..).for_each(|(standing, rank)| standing.rank = rank);
}

/// Points of the games that these have played among themselves.
fn points_among(equal: &[Standing], games: &[Game]) -> BTreeMap<ParticipantId, u32> {
    let users: BTreeSet<&ParticipantId> = equal.iter().map(|standing| &standing.user).collect();
    let mut points: BTreeMap<ParticipantId, u32> = users.iter().map(|user| ((*user).clone(), 0)).collect();
    for game in games {
        let (Some(a), Some(b), Some(result)) = (&game.a, &game.b, &game.result) else { continue };
        if users.contains(a) && users.contains(b) {
            match &result.winner {
                Some(winner) => *points.entry(winner.clone()).or_default() += WIN,
                None if !result.forfeit => {
                    *points.entry(a.clone()).or_default() += 1;
                    *points.entry(b.clone()).or_default() += 1;
                }
                None => {}
            }
        }
    }
    points
}
