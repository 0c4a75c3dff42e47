//! Tickets, matches, and everything that is remembered of them.
//!
//! A ticket is claimed by its version, in the transaction that makes the match: whatever number of matchmakers runs, a
//! ticket is in one match. A user is on one ticket at a time, by the primary key of `ticket_users`.

mod avoid;
mod life;
mod list;
mod make;
mod queues;
mod rows;
mod tickets;
mod tournaments;

pub use life::{Confirming, Ending, NotInMatch};
pub use list::{MatchFilter, QueueCounts, TicketFilter, WaitStats};
pub use make::{MatchDraft, TournamentDraft};
pub use queues::QueueRow;
pub use rows::{MatchRow, MemberRow, ReportRow, TicketRow};
pub use tickets::{NewTicket, TicketError};
