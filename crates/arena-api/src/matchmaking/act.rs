//! What a user does about tickets and matches, by whatever door it is asked for.

use super::wire::{ReportedBody, TournamentBody};
use arena_control::{MatchBody, Matchmaking, ServiceError, TicketBody};
use arena_core::conversation::ParticipantId;
use arena_core::matching::{MatchId, QueueName, TicketId, Wish};
use serde::Serialize;

/// Something that is done for a user.
#[derive(Debug, PartialEq)]
pub(crate) enum Act {
    /// Waits for partners.
    Enqueue { queue: QueueName, id: Option<TicketId>, wish: Box<Wish> },
    /// Takes the match.
    Confirm(MatchId),
    /// Does not want it.
    Decline(MatchId),
    /// Wants another partner.
    Skip { id: MatchId, requeue: bool },
    /// Goes.
    Leave { id: MatchId, requeue: bool },
    /// Never wants to meet somebody again.
    Block(ParticipantId),
    /// Takes that back.
    Unblock(ParticipantId),
    /// Says something about a partner.
    Report { id: MatchId, reported: Option<ParticipantId>, reason: String, detail: String },
    /// Says how a game of a tournament ended.
    Result { id: MatchId, game: u32, winner: Option<ParticipantId>, score: Option<(u32, u32)> },
}

/// What comes of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Done {
    Ticket(Box<TicketBody>),
    Match(Box<MatchBody>),
    Report(ReportedBody),
    Tournament(Box<TournamentBody>),
    /// Nothing to show.
    Quiet {},
}

impl Act {
    /// Does it.
    pub(crate) async fn carry_out(
        self,
        matchmaking: &Matchmaking,
        user: &ParticipantId,
    ) -> Result<Done, ServiceError> {
        let row = match self {
            Act::Enqueue { queue, id, wish } => {
                let made = matchmaking.enqueue(&queue, id, *wish).await?;
                return Ok(Done::Ticket(Box::new(TicketBody::new(&made))));
            }
            Act::Confirm(id) => matchmaking.confirm(id, user).await?,
            Act::Decline(id) => matchmaking.decline(id, user).await?,
            Act::Skip { id, requeue } => matchmaking.skip(id, user, requeue).await?,
            Act::Leave { id, requeue } => matchmaking.leave(id, user, requeue).await?,
            Act::Block(blocked) => {
                matchmaking.block(user, &blocked).await?;
                return Ok(Done::Quiet {});
            }
            Act::Unblock(blocked) => {
                matchmaking.unblock(user, &blocked).await?;
                return Ok(Done::Quiet {});
            }
            Act::Report { id, reported, reason, detail } => {
                let report = matchmaking.report(id, user, reported, reason, detail).await?;
                return Ok(Done::Report(report.into()));
            }
            Act::Result { id, game, winner, score } => {
                let told = matchmaking.report_game(id, game, Some(user), winner, score).await?;
                return Ok(Done::Tournament(Box::new(TournamentBody::new(told, false))));
            }
        };
        Ok(Done::Match(Box::new(MatchBody::new(&row))))
    }
}
