//! A tournament as it is kept: its games, what players say of them, and until when they have to be played.

use super::clock::after;
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::tournament::{Game, Tournament, TournamentError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A tournament as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cup {
    /// Its games and results.
    pub tournament: Tournament,
    /// By game: what players say of games that they do not say to have lost. At most one claim of each of the two.
    #[serde(default)]
    pub claims: BTreeMap<u32, Vec<Claim>>,
    /// When it began.
    pub began: Timestamp,
    /// How long a round may take, in milliseconds.
    pub round_ms: u64,
}

/// What a player says of a game, until the other says the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who.
    pub by: ParticipantId,
    /// Who has won; `None` is a draw.
    pub winner: Option<ParticipantId>,
    /// Points of both, if they were told.
    #[serde(default)]
    pub score: Option<(u32, u32)>,
}

/// What somebody says of a game.
pub(super) struct Said<'a> {
    pub(super) game: u32,
    pub(super) by: Option<&'a ParticipantId>,
    pub(super) winner: Option<&'a ParticipantId>,
    pub(super) score: Option<(u32, u32)>,
}

impl Cup {
    /// Nothing has been played.
    pub(super) fn new(tournament: Tournament, began: Timestamp, round_ms: u64) -> Cup {
        Cup { tournament, claims: BTreeMap::new(), began, round_ms }
    }

    /// Until when games of this round have to be decided, counted from 1.
    pub fn due_at(&self, round: u32) -> Timestamp {
        after(self.began, self.round_ms.saturating_mul(round.into()))
    }

    /// What is said of a game that is not decided.
    pub fn claims_of(&self, game: u32) -> &[Claim] {
        self.claims.get(&game).map_or(&[], Vec::as_slice)
    }

    /// Whether both players of a game say something, and not the same.
    pub(super) fn is_disputed(&self, game: u32) -> bool {
        self.claims_of(game).len() > 1
    }

    /// Takes what somebody says. Returns whether there is something to write.
    pub(super) fn hear(&mut self, said: &Said<'_>, now: Timestamp) -> Result<bool, TournamentError> {
        let Said { game, by, winner, score } = *said;
        let mut after = self.tournament.clone();
        let changes = after.report(game, winner, score, by, now)?;
        if let (true, Some(user)) = (changes, by) {
            let has_result = self.tournament.game(game).is_some_and(|game| game.result.is_some());
            let concedes = winner.is_some_and(|winner| winner != user);
            if !has_result && !concedes && !self.is_confirmed(said) {
                return Ok(self.claim(game, Claim { by: user.clone(), winner: winner.cloned(), score }));
            }
        }
        if changes {
            self.tournament = after;
            self.claims.remove(&game);
        }
        Ok(changes)
    }

    /// Somebody leaves. Returns whether there is something to write.
    pub(super) fn withdraw(&mut self, user: &ParticipantId, now: Timestamp) -> Result<bool, TournamentError> {
        let changes = self.tournament.withdraw(user, now)?;
        let is_open = |game: &u32| self.tournament.game(*game).is_some_and(|game| game.result.is_none());
        self.claims.retain(|game, _| is_open(game));
        Ok(changes)
    }

    /// Whether a game should have been decided by now.
    pub(super) fn is_overdue(&self, now: Timestamp) -> bool {
        self.overdue(now).is_some()
    }

    /// Decides the games that should have been by now. What was said of one stands, unless the two contradict each other:
    /// then, as when nobody has said anything, both have lost, so that nobody gains by a lie. Returns whether there is
    /// something to write.
    pub(super) fn decide_overdue(&mut self, now: Timestamp) -> Result<bool, TournamentError> {
        let mut changes = false;
        while let Some(game) = self.overdue(now) {
            let claims = self.claims.remove(&game.number).unwrap_or_default();
            match claims.split_first() {
                Some((claim, others)) if others.iter().all(|other| other.winner == claim.winner) => {
                    let score = claim.score.filter(|_| others.is_empty());
                    self.tournament.report(
                        game.number,
                        claim.winner.as_ref(),
                        score,
                        Some(&claim.by),
                        now,
                    )?;
                }
                _ => self.tournament.forfeit(game.number, now)?,
            }
            changes = true;
        }
        Ok(changes)
    }

    fn overdue(&self, now: Timestamp) -> Option<Game> {
        // The first round is the first to be over: most of the time nothing is to be looked at.
        if now < self.due_at(1) {
            return None;
        }
        self.tournament.open_games().into_iter().find(|game| self.due_at(game.round) <= now)
    }

    /// Whether the other player has said the same.
    fn is_confirmed(&self, said: &Said<'_>) -> bool {
        let same = |claim: &Claim| {
            let same_score = claim.score.is_none() || said.score.is_none() || claim.score == said.score;
            Some(&claim.by) != said.by && claim.winner.as_ref() == said.winner && same_score
        };
        self.claims_of(said.game).iter().any(same)
    }

    /// Keeps what a player says; the last word counts.
    fn claim(&mut self, game: u32, claim: Claim) -> bool {
        let claims = self.claims.entry(game).or_default();
        if claims.contains(&claim) {
            return false;
        }
        claims.retain(|kept| kept.by != claim.by);
        claims.push(claim);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_core::tournament::Format;

    const BEGAN: Timestamp = Timestamp(1_000);

    fn user(nth: usize) -> ParticipantId {
        format!("u{nth}").parse().unwrap()
    }

    fn cup(format: Format, entrants: usize) -> Cup {
        let tournament = Tournament::new(format, (1..=entrants).map(user).collect()).unwrap();
        Cup::new(tournament, BEGAN, 100)
    }

    fn says(cup: &mut Cup, game: u32, by: usize, winner: Option<usize>) {
        let (by, winner) = (user(by), winner.map(user));
        let said = Said { game, by: Some(&by), winner: winner.as_ref(), score: None };
        assert_eq!(cup.hear(&said, BEGAN), Ok(true));
    }

    fn winner(cup: &Cup, game: u32) -> Option<Option<ParticipantId>> {
        cup.tournament.game(game).unwrap().result.map(|result| result.winner)
    }

    #[test]
    fn who_alone_claims_a_game_wins_it_when_its_time_is_up() {
        let mut cup = cup(Format::SingleElimination, 4);
        says(&mut cup, 2, 3, Some(3));
        assert_eq!(cup.decide_overdue(Timestamp(1_099)), Ok(false));
        assert_eq!(cup.decide_overdue(Timestamp(1_100)), Ok(true));
        // Nobody has said anything of the first game: both are out, and nobody is there to be played against.
        assert_eq!((winner(&cup, 1), winner(&cup, 2)), (Some(None), Some(Some(user(3)))));
        assert_eq!((cup.tournament.is_over(), cup.tournament.champion()), (true, Some(user(3))));
        assert_eq!(cup.decide_overdue(Timestamp(9_999)), Ok(false), "once");
    }

    #[test]
    fn nobody_gains_by_contradicting_the_winner() {
        let mut cup = cup(Format::SingleElimination, 2);
        says(&mut cup, 1, 1, Some(1));
        assert!(!cup.is_disputed(1));
        says(&mut cup, 1, 2, Some(2));
        assert!(cup.is_disputed(1));
        assert_eq!(cup.decide_overdue(cup.due_at(1)), Ok(true));
        assert_eq!((winner(&cup, 1), cup.claims.len()), (Some(None), 0));
        assert!(cup.tournament.is_over());
    }

    #[test]
    fn a_later_round_has_its_own_time() {
        let mut cup = cup(Format::RoundRobin, 4);
        says(&mut cup, 1, 1, None);
        assert_eq!(cup.decide_overdue(Timestamp(1_199)), Ok(true));
        let decided = cup.tournament.games().iter().filter(|game| game.result.is_some()).count();
        assert_eq!(decided, 2, "the games of the first round");
        let drawn = cup.tournament.game(1).unwrap().result.unwrap();
        assert_eq!((drawn.winner, drawn.forfeit), (None, false), "one has said so");
        assert_eq!(cup.decide_overdue(Timestamp(1_300)), Ok(true));
        assert!(cup.tournament.is_over());
    }
}
