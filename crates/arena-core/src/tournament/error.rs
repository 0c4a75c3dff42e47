//! Why a tournament does not take something.

use crate::conversation::ParticipantId;

/// Why a tournament does not take something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TournamentError {
    /// Too few entrants, or too many.
    #[error("{got} entrants; a tournament has 2 to 256")]
    Entrants {
        /// Given.
        got: usize,
    },
    /// Somebody enters twice.
    #[error("`{0}` enters twice")]
    Twice(ParticipantId),
    /// Somebody who does not play in it.
    #[error("`{0}` does not play in this tournament")]
    NotEntered(ParticipantId),
    /// A game that there is not.
    #[error("there is no game {game}; they are numbered from 1 to {games}")]
    UnknownGame {
        /// Asked for.
        game: u32,
        /// How many there are.
        games: usize,
    },
    /// A game that waits for another one.
    #[error("who plays game {game} is not known yet: report the games before it first")]
    PlayersNotKnown {
        /// Which.
        game: u32,
    },
    /// Somebody who does not play in the game.
    #[error("`{user}` does not play in game {game}")]
    NotAPlayer {
        /// Who.
        user: ParticipantId,
        /// Which.
        game: u32,
    },
    /// A draw where somebody has to go on.
    #[error("game {game} needs a winner: whoever loses is out")]
    NeedsWinner {
        /// Which.
        game: u32,
    },
    /// Points that say something else than the winner.
    #[error("a score of {} to {} does not fit the winner of game {game}: points are those of a, then of b", score.0, score.1)]
    Score {
        /// Which.
        game: u32,
        /// Points.
        score: (u32, u32),
    },
    /// Another result than the one that stands.
    #[error("game {game} has a result already: {stands}")]
    Contradicts {
        /// Which.
        game: u32,
        /// The one that stands, in words.
        stands: String,
    },
}
