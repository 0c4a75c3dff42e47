//! Tournaments: where their calls and their loops meet the matchmaker.

use super::Matchmaking;
use super::error::MatchError;
use super::service::Inner;
use crate::error::ServiceError;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Formed, MatchId, Waiting};
use arena_core::tournament::Tournament;
use arena_store::{MatchRow, QueueRow};

impl Matchmaking {
    /// A tournament.
    pub async fn tournament(&self, id: MatchId) -> Result<(MatchRow, Tournament), ServiceError> {
        Err(MatchError::NoTournament(id).into())
    }

    /// The result of a game: who has won it (`None` is a draw), and the points of each, if they are told. By a user who
    /// plays it, or by an operator (`None`).
    pub async fn report_game(
        &self,
        id: MatchId,
        game: u32,
        by: Option<&ParticipantId>,
        winner: Option<ParticipantId>,
        score: Option<(u32, u32)>,
    ) -> Result<(MatchRow, Tournament), ServiceError> {
        let _ = (game, by, winner, score);
        Err(MatchError::NoTournament(id).into())
    }
}

impl Inner {
    /// Begins a tournament of these tickets. Returns whether it has begun: not if a ticket was claimed by another.
    pub(super) async fn begin_tournament(
        &self,
        queue: &QueueRow,
        waiting: &[Waiting],
        formed: &Formed,
    ) -> Result<bool, ServiceError> {
        let _ = (queue, waiting, formed);
        Ok(false)
    }

    /// A user leaves a tournament; the others play on.
    pub(super) async fn leave_tournament(
        &self,
        row: MatchRow,
        user: &ParticipantId,
    ) -> Result<MatchRow, ServiceError> {
        let _ = user;
        Err(MatchError::NoTournament(row.id).into())
    }

    /// A tournament is over: its channel is to drain. Doing it again changes nothing.
    pub(super) async fn end_tournament(&self, row: &MatchRow) -> Result<(), ServiceError> {
        let _ = row;
        Ok(())
    }
}
