//! Conversations: their logs, what the logs added up to when they were last looked at, and the budgets they share.
//! The log is the truth; a row of `conversations` is a place to begin reading it from.

mod checks;
mod clear;
mod list;
#[cfg(test)]
mod plans;
mod read;
mod rows;
mod write;

pub use list::ConversationFilter;
#[cfg(test)]
pub(crate) use plans::slow_steps;
pub use read::LogSlice;
pub use rows::{AccountRow, ConversationRow, LogRow};
pub use write::{Batch, BatchError};
pub(crate) use write::{append, create};
