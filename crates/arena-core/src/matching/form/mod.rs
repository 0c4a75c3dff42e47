//! Puts waiting tickets together.
//!
//! [`form`] reads the tickets into a [`Crowd`]: sorted by whose turn it is, words replaced by numbers. [`legality`] says
//! who may be matched with whom, [`score`] how well they go together, and [`pairs`] chooses.

mod avoid;
mod crowd;
mod legality;
mod pairs;
mod score;
#[cfg(test)]
mod tests;

pub use avoid::Avoid;

use super::{Rules, Waiting};
use crate::time::Timestamp;
use crowd::Crowd;

/// Tickets that go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formed {
    /// Places in the list of tickets, by team.
    pub teams: Vec<Vec<usize>>,
    /// How well they go together, 0 to 100.
    pub quality: u32,
}

/// Matches that can be made now. `tickets` are all that wait in the queue, in any order; no ticket is in two matches.
/// `tick` rises by one from call to call: it says whose turn it is to be compared with everybody.
///
/// Who waits longest chooses first, after those who were let down. The same tickets give the same matches, whatever order
/// they come in. A user who is on several tickets waits with the first of them only.
pub fn form(rules: &Rules, tickets: &[Waiting], avoid: &Avoid, now: Timestamp, tick: u64) -> Vec<Formed> {
    let _ = tick;
    // Larger matches are not made yet.
    if (rules.teams, rules.team_size) != (2, 1) {
        return Vec::new();
    }
    let crowd = Crowd::new(rules, tickets, avoid, now);
    pairs::form(&crowd)
}
