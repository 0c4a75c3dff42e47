//! Matchmaking: tickets, matches and tournaments, behind every door; and the loops that put tickets together and end
//! what has to end.
//!
//! The store holds the truth: whatever is lost of notices, waiters and heartbeats in memory, the next tick finds again.

mod body;
mod error;
mod settings;
mod view;

pub use body::{MatchBody, MemberBody, TicketBody};
pub use error::MatchError;
pub use settings::MatchmakingSettings;
pub use view::{MatchmakingStats, QueueView, TicketView};

use crate::error::ServiceError;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::{MatchId, QueueName, Rules, TicketId, Wish};
use arena_core::tournament::Tournament;
use arena_store::{Actor, MatchFilter, MatchRow, Page, PageRequest, QueueRow, ReportRow, TicketFilter};
use std::time::Duration;

/// The service for matchmaking. Clones share everything.
#[derive(Debug, Clone)]
pub struct Matchmaking {}

impl Matchmaking {
    /// All queues, by name, with what is in them.
    pub async fn queues(&self) -> Result<Vec<QueueView>, ServiceError> {
        todo!()
    }

    /// A queue, with what is in it.
    pub async fn queue(&self, name: &QueueName) -> Result<QueueView, ServiceError> {
        let _ = name;
        todo!()
    }

    /// Makes a queue, or gives it other rules.
    pub async fn put_queue(
        &self,
        actor: &Actor,
        name: &QueueName,
        rules: Rules,
    ) -> Result<QueueRow, ServiceError> {
        let _ = (actor, name, rules);
        todo!()
    }

    /// Deletes a queue. Its waiting tickets end; matches that are made go on.
    pub async fn delete_queue(&self, actor: &Actor, name: &QueueName) -> Result<(), ServiceError> {
        let _ = (actor, name);
        todo!()
    }

    /// Makes a ticket. Without an id, one is made up; the same id with the same wish is the same ticket.
    pub async fn enqueue(
        &self,
        queue: &QueueName,
        id: Option<TicketId>,
        wish: Wish,
    ) -> Result<TicketView, ServiceError> {
        let _ = (queue, id, wish);
        todo!()
    }

    /// A ticket, with the match that it is in, or was in last.
    pub async fn ticket(&self, id: TicketId) -> Result<TicketView, ServiceError> {
        let _ = id;
        todo!()
    }

    /// The ticket that a user is on, if it is on one that is not over.
    pub async fn ticket_of(&self, user: &ParticipantId) -> Result<Option<TicketView>, ServiceError> {
        let _ = user;
        todo!()
    }

    /// Waits until a ticket is not in this version any more, at most so long; and counts as heartbeats all the while.
    pub async fn wait(
        &self,
        id: TicketId,
        known: i64,
        at_most: Duration,
    ) -> Result<TicketView, ServiceError> {
        let _ = (id, known, at_most);
        todo!()
    }

    /// Says that a ticket's user is there still.
    pub async fn heartbeat(&self, id: TicketId) -> Result<TicketView, ServiceError> {
        let _ = id;
        todo!()
    }

    /// Takes a ticket back: one that waits ends, a match that is only proposed is declined, one that stands is left.
    pub async fn cancel(&self, id: TicketId) -> Result<TicketView, ServiceError> {
        let _ = id;
        todo!()
    }

    /// A page of tickets, oldest first.
    pub async fn tickets(
        &self,
        filter: TicketFilter,
        page: PageRequest,
    ) -> Result<Page<TicketView>, ServiceError> {
        let _ = (filter, page);
        todo!()
    }

    /// A match.
    pub async fn get_match(&self, id: MatchId) -> Result<MatchRow, ServiceError> {
        let _ = id;
        todo!()
    }

    /// A page of matches, oldest first.
    pub async fn matches(
        &self,
        filter: MatchFilter,
        page: PageRequest,
    ) -> Result<Page<MatchRow>, ServiceError> {
        let _ = (filter, page);
        todo!()
    }

    /// A user confirms a match. Too late is an error that says so.
    pub async fn confirm(&self, id: MatchId, user: &ParticipantId) -> Result<MatchRow, ServiceError> {
        let _ = (id, user);
        todo!()
    }

    /// A user does not want a match that is proposed.
    pub async fn decline(&self, id: MatchId, user: &ParticipantId) -> Result<MatchRow, ServiceError> {
        let _ = (id, user);
        todo!()
    }

    /// A user wants another partner: the match is over for everybody. Doing it again changes nothing.
    pub async fn skip(
        &self,
        id: MatchId,
        user: &ParticipantId,
        requeue: bool,
    ) -> Result<MatchRow, ServiceError> {
        let _ = (id, user, requeue);
        todo!()
    }

    /// A user leaves a match that stands (and its tournament: the others play on).
    pub async fn leave(
        &self,
        id: MatchId,
        user: &ParticipantId,
        requeue: bool,
    ) -> Result<MatchRow, ServiceError> {
        let _ = (id, user, requeue);
        todo!()
    }

    /// An operator ends a match.
    pub async fn close(&self, actor: &Actor, id: MatchId) -> Result<MatchRow, ServiceError> {
        let _ = (actor, id);
        todo!()
    }

    /// A user is not matched with another any more; a match that they are in ends.
    pub async fn block(&self, user: &ParticipantId, blocked: &ParticipantId) -> Result<(), ServiceError> {
        let _ = (user, blocked);
        todo!()
    }

    /// Takes a block back.
    pub async fn unblock(&self, user: &ParticipantId, blocked: &ParticipantId) -> Result<(), ServiceError> {
        let _ = (user, blocked);
        todo!()
    }

    /// Whom a user has blocked.
    pub async fn blocks(&self, user: &ParticipantId) -> Result<Vec<ParticipantId>, ServiceError> {
        let _ = user;
        todo!()
    }

    /// A user reports a partner; `reported` may be left out where there is only one. Operators hear of it on
    /// `operator:matchmaking`.
    pub async fn report(
        &self,
        id: MatchId,
        reporter: &ParticipantId,
        reported: Option<ParticipantId>,
        reason: String,
        detail: String,
    ) -> Result<ReportRow, ServiceError> {
        let _ = (id, reporter, reported, reason, detail);
        todo!()
    }

    /// A page of reports, newest first.
    pub async fn reports(&self, page: PageRequest) -> Result<Page<ReportRow>, ServiceError> {
        let _ = page;
        todo!()
    }

    /// A user has come to a match's conversation, or its last connection there has ended. Never fails: what is not noted
    /// is found by the missing heartbeats.
    pub async fn attend(&self, conversation: &ConversationId, user: &ParticipantId, present: bool) {
        let _ = (conversation, user, present);
        todo!()
    }

    /// A tournament.
    pub async fn tournament(&self, id: MatchId) -> Result<(MatchRow, Tournament), ServiceError> {
        let _ = id;
        todo!()
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
        let _ = (id, game, by, winner, score);
        todo!()
    }

    /// What was done so far, in this process.
    pub fn stats(&self) -> MatchmakingStats {
        todo!()
    }
}
