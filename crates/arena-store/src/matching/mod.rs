//! Tickets, matches, and everything that is remembered of them.
//!
//! A ticket is claimed by its version, in the transaction that makes the match: whatever number of matchmakers runs, a
//! ticket is in one match. A user is on one ticket at a time, by the primary key of `ticket_users`.
//!
//! Whoever changes rows of several of these tables holds them in this order, and those of one table by ascending ids, so
//! that no two wait for each other on PostgreSQL: matches, queues, tickets, users of tickets, partings and blocks. What a
//! transaction has made itself is nobody else's to wait for.

mod avoid;
mod create;
mod end;
mod forget;
mod life;
mod list;
mod locks;
mod make;
#[cfg(test)]
mod plans;
mod queues;
mod read;
mod rows;
mod sweep;
#[cfg(test)]
mod sweep_plans;
mod tickets;
mod tournaments;

pub use avoid::MAX_BLOCKS;
pub use life::{Confirming, Ending, Lost, NotInMatch};
pub use list::{MatchFilter, QueueCounts, TicketFilter, WaitStats};
pub use make::MatchDraft;
pub use queues::QueueRow;
pub use rows::{MatchRow, MemberRow, ReportRow, TicketRow};
pub use sweep::Attendance;
pub use tickets::{NewTicket, TicketError};
pub use tournaments::{Beginning, TournamentBegun, TournamentDraft};
