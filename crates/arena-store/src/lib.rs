//! All SQL of Arena: SQLite and PostgreSQL behind one set of queries.
//!
//! One text serves both databases (see docs/decisions/0001-query-layer.md); only migrations and the few acts in
//! `connect`, `db` and `partitions` may differ. Must not import: any Arena crate but arena-core, HTTP, the world engine.

mod activity;
mod batch;
mod bots;
mod channels;
mod claim;
mod connect;
mod conversations;
mod db;
mod error;
mod listing;
mod matching;
mod migrate;
mod observed;
mod page;
mod partitions;
mod placement;
mod placing;
mod players;
mod pooler;
mod positions;
mod replies;
#[cfg(test)]
mod seen;
mod sized;
mod text;
mod wal;

pub use activity::{Activity, ActivityDraft, ActivityFilter};
pub use bots::{BotFilter, ChannelRef, Enrolled, NewBot};
pub use channels::{ChannelFilter, ChannelRow};
pub use claim::Claim;
pub use conversations::{
    AccountRow, Batch, BatchError, ConversationFilter, ConversationRow, LogRow, LogSlice,
};
pub use db::{Dialect, Store, StoreOptions};
pub use error::{OpError, StoreError};
pub use matching::{
    Attendance, Beginning, Confirming, Ending, Lost, MAX_BLOCKS, MatchDraft, MatchFilter, MatchRow,
    MemberRow, NewTicket, NotInMatch, QueueCounts, QueueRow, ReportRow, TicketError, TicketFilter, TicketRow,
    TournamentBegun, TournamentDraft, WaitStats,
};
pub use observed::Observation;
pub use page::{Page, PageRequest};
pub use placement::Placement;
pub use placing::{Actor, Order};
pub use players::{PlayerFilter, Seating};
pub use replies::{Begun, StoredReply};

use arena_core::Timestamp;

/// The wall clock, as the store records it.
pub fn now() -> Timestamp {
    let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
