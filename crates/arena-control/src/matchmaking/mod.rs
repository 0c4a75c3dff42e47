//! Matchmaking: tickets, matches and tournaments, behind every door; and the loops that put tickets together and end
//! what has to end.
//!
//! The store holds the truth: whatever is lost of notices, waiters and heartbeats in memory, the next tick finds again.

mod acting;
mod body;
mod clock;
mod counters;
mod cup;
mod drafting;
mod ending;
mod error;
mod hearing;
mod intake;
mod known;
mod matcher;
mod notices;
mod nudges;
mod polls;
mod pulse;
mod queues;
mod service;
mod settings;
mod settling;
mod standing;
mod sweeping;
mod tick;
mod tickets;
mod tournament;
mod view;

pub use body::{MatchBody, MemberBody, ReportBody, TicketBody};
pub use cup::{Claim, Cup};
pub use error::MatchError;
pub(crate) use service::matchmaking;
pub use settings::MatchmakingSettings;
pub use view::{MatchmakingStats, QueueView, TicketView};

use service::Inner;
use std::sync::Arc;

/// The service for matchmaking. Clones share everything.
#[derive(Debug, Clone)]
pub struct Matchmaking {
    inner: Arc<Inner>,
}

impl Matchmaking {
    /// Waits until there are queues: that is for ever where the store does not answer.
    pub async fn begun(&self) {
        self.inner.begun.cancelled().await;
    }

    /// What was done so far, in this process.
    pub fn stats(&self) -> MatchmakingStats {
        self.inner.counters.read()
    }
}
