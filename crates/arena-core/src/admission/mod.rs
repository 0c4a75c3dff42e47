//! Who lives where: every rule that assigns, moves and removes bots, seats players, opens and closes channels.
//!
//! A [`Board`] is loaded from the database under its placement lock, operations are applied to it in memory, and
//! the [`Changes`] are written back in the same transaction. The database refuses an overfull channel by itself;
//! these rules make sure that it never has to.

mod board;
mod changes;
mod op;
#[cfg(test)]
mod tests;

pub use board::{AdmissionRules, Board, BotSeat, Group, KindLimits};
pub use changes::{Applied, Changes, Move};
pub use op::{AdmitError, Needs, Newcomer, Op, Want};
