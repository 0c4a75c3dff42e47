//! Entrants that leave, and games that nobody plays.

use super::schedule::{Pairing, Side};
use super::{GameResult, Tournament, TournamentError};
use crate::conversation::ParticipantId;
use crate::time::Timestamp;

/// What is known of a side of a game that has not ended.
enum Comer<'a> {
    /// The game that it comes from has not ended.
    Unknown,
    /// It will not be there: it has left, or both who could have come have.
    Gone,
    /// It is there.
    There(&'a ParticipantId),
}

impl Tournament {
    /// Somebody leaves: every game that it has still to play is lost, and won by the other. What is played stands.
    /// Returns whether anything has changed; doing it again, or after the end, changes nothing.
    pub fn withdraw(&mut self, user: &ParticipantId, at: Timestamp) -> Result<bool, TournamentError> {
        self.withdraw_all(std::slice::from_ref(user), at)
    }

    /// Several leave at the same time: games that they should have played against each other are lost by both.
    pub fn withdraw_all(&mut self, users: &[ParticipantId], at: Timestamp) -> Result<bool, TournamentError> {
        if let Some(stranger) = users.iter().find(|user| !self.entrants.contains(user)) {
            return Err(TournamentError::NotEntered(stranger.clone()));
        }
        if self.is_over() {
            return Ok(false);
        }
        let before = self.withdrawn.len();
        self.withdrawn.extend(users.iter().cloned());
        self.forfeit_games(at);
        Ok(self.withdrawn.len() > before)
    }

    /// Ends a game that was not played in time: both have lost it. Whoever waits for its winner goes on alone.
    pub fn forfeit(&mut self, game: u32, at: Timestamp) -> Result<(), TournamentError> {
        let Some(found) = self.game(game) else {
            return Err(TournamentError::UnknownGame { game, games: self.schedule().len() });
        };
        if found.a.is_none() || found.b.is_none() {
            return Err(TournamentError::PlayersNotKnown { game });
        }
        let lost = GameResult { winner: None, score: None, forfeit: true, by: None, at };
        self.results.entry(game).or_insert(lost);
        self.forfeit_games(at);
        Ok(())
    }

    /// Ends every game that cannot be played. One pass is enough: games come after those that their players come from.
    pub(super) fn forfeit_games(&mut self, at: Timestamp) {
        if self.withdrawn.is_empty() && !self.results.values().any(|result| result.forfeit) {
            return;
        }
        for (pairing, number) in self.schedule().iter().zip(1..) {
            if !self.results.contains_key(&number)
                && let Some(winner) = self.walkover(pairing)
            {
                self.results.insert(number, GameResult { winner, score: None, forfeit: true, by: None, at });
            }
        }
    }

    /// Who wins without playing, if it is known that the game will not be played.
    fn walkover(&self, pairing: &Pairing) -> Option<Option<ParticipantId>> {
        match (self.comer(pairing.a), self.comer(pairing.b)) {
            (Comer::Gone, Comer::Gone) => Some(None),
            (Comer::There(user), Comer::Gone) | (Comer::Gone, Comer::There(user)) => Some(Some(user.clone())),
            _ => None,
        }
    }

    fn comer(&self, side: Side) -> Comer<'_> {
        if let Side::WinnerOf(game) = side
            && !self.results.contains_key(&game)
        {
            return Comer::Unknown;
        }
        match self.player(side) {
            Some(user) if !self.withdrawn.contains(user) => Comer::There(user),
            _ => Comer::Gone,
        }
    }
}
