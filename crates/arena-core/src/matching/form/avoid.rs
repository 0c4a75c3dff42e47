//! Who is not matched with whom now.

use crate::conversation::ParticipantId;
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

    /// All pairs, in no order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &(ParticipantId, ParticipantId)> {
        self.pairs.iter()
    }
}
