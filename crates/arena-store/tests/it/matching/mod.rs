//! The matchmaker's rows: tickets, matches, queues.

mod making;
mod tournaments;
