//! Puts waiting tickets together.

use super::{Rules, Waiting};
use crate::conversation::ParticipantId;
use crate::time::Timestamp;
use std::collections::HashSet;

/// Pairs of users that are not matched now: they met lately, or one has blocked the other.
#[derive(Debug, Clone, Default)]
pub struct Avoid {
    pairs: HashSet<(ParticipantId, ParticipantId)>,
}

impl Avoid {
    /// Adds a pair; which comes first does not matter.
    pub fn add(&mut self, one: ParticipantId, other: ParticipantId) {
        self.pairs.insert(if one <= other { (one, other) } else { (other, one) });
    }

    /// Whether these two are not to be matched.
    pub fn has(&self, one: &ParticipantId, other: &ParticipantId) -> bool {
        let pair = if one <= other { (one.clone(), other.clone()) } else { (other.clone(), one.clone()) };
        self.pairs.contains(&pair)
    }
}

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
pub fn form(rules: &Rules, tickets: &[Waiting], avoid: &Avoid, now: Timestamp, tick: u64) -> Vec<Formed> {
    let _ = (rules, tickets, avoid, now, tick);
    todo!()
}
