//! Results.

use super::{Format, Game, GameResult, Tournament, TournamentError};
use crate::conversation::ParticipantId;
use crate::time::Timestamp;

impl Tournament {
    /// Takes the result of a game: who has won it (`None` is a draw, which there is in a round robin alone), and the points
    /// of its `a` and its `b`, if they are told. `by` is who reports it, one of the two, or `None` for an operator.
    ///
    /// Returns whether anything has changed: the result that stands may be reported again, also without its score, and a
    /// score that was missing may be added. Any other result of a game that has one is refused.
    pub fn report(
        &mut self,
        game: u32,
        winner: Option<&ParticipantId>,
        score: Option<(u32, u32)>,
        by: Option<&ParticipantId>,
        at: Timestamp,
    ) -> Result<bool, TournamentError> {
        let Some(found) = self.game(game) else {
            return Err(TournamentError::UnknownGame { game, games: self.schedule().len() });
        };
        self.check_players(&found, winner, by)?;
        self.check_score(&found, winner, score)?;
        if let Some(stands) = found.result {
            return self.again(game, stands, winner, score);
        }
        let (winner, by) = (winner.cloned(), by.cloned());
        self.results.insert(game, GameResult { winner, score, forfeit: false, by, at });
        self.forfeit_games(at);
        Ok(true)
    }

    fn check_players(
        &self,
        game: &Game,
        winner: Option<&ParticipantId>,
        by: Option<&ParticipantId>,
    ) -> Result<(), TournamentError> {
        let number = game.number;
        let (Some(a), Some(b)) = (&game.a, &game.b) else {
            return match &game.result {
                Some(result) => Err(contradicts(number, result)),
                None => Err(TournamentError::PlayersNotKnown { game: number }),
            };
        };
        match winner.into_iter().chain(by).find(|user| *user != a && *user != b) {
            Some(user) => Err(TournamentError::NotAPlayer { user: user.clone(), game: number }),
            None => Ok(()),
        }
    }

    fn check_score(
        &self,
        game: &Game,
        winner: Option<&ParticipantId>,
        score: Option<(u32, u32)>,
    ) -> Result<(), TournamentError> {
        if winner.is_none() && self.format == Format::SingleElimination {
            return Err(TournamentError::NeedsWinner { game: game.number });
        }
        let Some(score) = score else { return Ok(()) };
        let fits = match winner {
            None => score.0 == score.1,
            Some(winner) if Some(winner) == game.a.as_ref() => score.0 > score.1,
            Some(_) => score.0 < score.1,
        };
        if fits { Ok(()) } else { Err(TournamentError::Score { game: game.number, score }) }
    }

    /// A result of a game that has one.
    fn again(
        &mut self,
        game: u32,
        stands: GameResult,
        winner: Option<&ParticipantId>,
        score: Option<(u32, u32)>,
    ) -> Result<bool, TournamentError> {
        let other_score = score.is_some() && stands.score.is_some() && score != stands.score;
        let drawn_is_not_forfeited = stands.forfeit && winner.is_none();
        let played_after_all = stands.forfeit && score.is_some();
        if stands.winner.as_ref() != winner || other_score || drawn_is_not_forfeited || played_after_all {
            return Err(contradicts(game, &stands));
        }
        let adds = score.is_some() && stands.score.is_none();
        if adds {
            self.results.insert(game, GameResult { score, ..stands });
        }
        Ok(adds)
    }
}

fn contradicts(game: u32, result: &GameResult) -> TournamentError {
    let mut stands = match &result.winner {
        Some(winner) => format!("`{winner}` has won"),
        None if result.forfeit => "both have lost".to_owned(),
        None => "a draw".to_owned(),
    };
    if let Some((a, b)) = result.score {
        stands.push_str(&format!(", {a} to {b}"));
    }
    if result.forfeit {
        stands.push_str(", as it was not played");
    }
    TournamentError::Contradicts { game, stands }
}
