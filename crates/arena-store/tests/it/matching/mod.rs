//! The matchmaker's rows: tickets, matches, queues.

mod avoiding;
mod confirming;
mod counting;
mod ending;
mod making;
mod queues;
mod racing;
mod sweeping;
mod tickets;
