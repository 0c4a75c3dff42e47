//! Tournaments: who plays whom, and who has won.
//!
//! [`schedule`] says which games there are, [`report`] takes their results, [`withdraw`] lets somebody go, and
//! [`standings`] adds up. A tournament keeps results alone: its games follow from its entrants.

mod error;
mod report;
mod schedule;
mod standings;
#[cfg(test)]
mod tests;
mod withdraw;

pub use error::TournamentError;
pub use standings::Standing;

use crate::conversation::ParticipantId;
use crate::time::Timestamp;
use schedule::{Pairing, Side};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who plays whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Whoever loses is out.
    SingleElimination,
    /// Everybody plays everybody once.
    RoundRobin,
}

/// A tournament. The same entrants in the same order give the same games.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tournament {
    /// Who plays whom.
    pub format: Format,
    /// Who plays, strongest first.
    pub entrants: Vec<ParticipantId>,
    /// Results by the numbers of games.
    #[serde(default)]
    results: BTreeMap<u32, GameResult>,
    /// Who has left.
    #[serde(default)]
    withdrawn: BTreeSet<ParticipantId>,
}

/// A game.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Game {
    /// Counts from 1, round by round. It never changes.
    pub number: u32,
    /// Counts from 1.
    pub round: u32,
    /// Who plays, as far as it is known.
    pub a: Option<ParticipantId>,
    /// Against whom.
    pub b: Option<ParticipantId>,
    /// How it has ended.
    pub result: Option<GameResult>,
}

/// How a game has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GameResult {
    /// Who has won. `None` is a draw; of a forfeited game, that both have lost.
    pub winner: Option<ParticipantId>,
    /// Points of `a` and of `b`, if they were told.
    #[serde(default)]
    pub score: Option<(u32, u32)>,
    /// It was not played: somebody had left.
    #[serde(default)]
    pub forfeit: bool,
    /// Who has reported it; `None` is an operator, or nobody if it was forfeited.
    #[serde(default)]
    pub by: Option<ParticipantId>,
    /// When.
    pub at: Timestamp,
}

impl Tournament {
    /// The fewest who enter.
    pub const MIN_ENTRANTS: usize = 2;
    /// The most who enter.
    pub const MAX_ENTRANTS: usize = 256;

    /// A tournament of which nothing has been played, among these, strongest first.
    pub fn new(format: Format, entrants: Vec<ParticipantId>) -> Result<Tournament, TournamentError> {
        let got = entrants.len();
        if !(Self::MIN_ENTRANTS..=Self::MAX_ENTRANTS).contains(&got) {
            return Err(TournamentError::Entrants { got });
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = entrants.iter().find(|user| !seen.insert(*user)) {
            return Err(TournamentError::Twice(twice.clone()));
        }
        Ok(Tournament { format, entrants, results: BTreeMap::new(), withdrawn: BTreeSet::new() })
    }

    /// All games, by number.
    pub fn games(&self) -> Vec<Game> {
        let schedule = self.schedule();
        schedule.iter().zip(1..).map(|(pairing, number)| self.game_of(pairing, number)).collect()
    }

    /// A game.
    pub fn game(&self, number: u32) -> Option<Game> {
        let schedule = self.schedule();
        let nth = usize::try_from(number).ok()?.checked_sub(1)?;
        schedule.get(nth).map(|pairing| self.game_of(pairing, number))
    }

    /// Games that can be played now: it is known who plays, and not how it ended.
    pub fn open_games(&self) -> Vec<Game> {
        let open = |game: &Game| game.result.is_none() && game.a.is_some() && game.b.is_some();
        self.games().into_iter().filter(open).collect()
    }

    /// Whether everything is played.
    pub fn is_over(&self) -> bool {
        self.results.len() == self.schedule().len()
    }

    /// Who has won all of it, once it is over. Nobody, if everybody has left.
    pub fn champion(&self) -> Option<ParticipantId> {
        if !self.is_over() {
            return None;
        }
        match self.format {
            Format::SingleElimination => self.results.last_key_value()?.1.winner.clone(),
            Format::RoundRobin => {
                let best = self.standings().into_iter().next()?;
                (!best.withdrawn || best.points > 0).then_some(best.user)
            }
        }
    }

    /// Whether somebody has left.
    pub fn has_withdrawn(&self, user: &ParticipantId) -> bool {
        self.withdrawn.contains(user)
    }

    fn game_of(&self, pairing: &Pairing, number: u32) -> Game {
        Game {
            number,
            round: pairing.round,
            a: self.player(pairing.a).cloned(),
            b: self.player(pairing.b).cloned(),
            result: self.results.get(&number).cloned(),
        }
    }

    /// Who plays on a side; `None` if that is not known yet, or if nobody has come through to it.
    fn player(&self, side: Side) -> Option<&ParticipantId> {
        match side {
            Side::Entrant(nth) => self.entrants.get(nth),
            Side::WinnerOf(game) => self.results.get(&game)?.winner.as_ref(),
        }
    }
}
