//! Who may be matched with whom.

use super::crowd::{Card, Crowd};
use crate::matching::{Outcome, Rules};

impl Crowd<'_> {
    /// Whether two of the crowd may be in a match together.
    pub fn legal(&self, a: usize, b: usize) -> bool {
        let (one, other) = (&self.cards[a], &self.cards[b]);
        // The quickest question first: it leaves most of them out.
        one.must == other.must && kinds_go_together(self.rules, one, other) && self.agree(a, b)
    }

    /// Whether nothing but their kinds may keep two of the crowd from being in a match together.
    pub fn agree(&self, a: usize, b: usize) -> bool {
        let (one, other) = (&self.cards[a], &self.cards[b]);
        let waited_ms = waited_together_ms(one, other);
        one.must == other.must
            && self.insisted(waited_ms).all(|nth| agree(one.prefer[nth], other.prefer[nth]))
            && ratings_go_together(self.rules, one, other, waited_ms)
            && !self.apart(a, b)
    }

    /// Which preferences are insisted on by somebody who has waited so long.
    pub fn insisted(&self, waited_ms: u64) -> impl Iterator<Item = usize> {
        let prefer = self.rules.prefer.iter().take(Rules::MAX_FIELDS).enumerate();
        prefer
            .filter(move |(_, preference)| preference.for_ms.is_none_or(|for_ms| waited_ms < for_ms))
            .map(|(nth, _)| nth)
    }
}

/// Equal, or left out by one.
fn agree(one: u32, other: u32) -> bool {
    one == other || one == 0 || other == 0
}

/// The wait of the one who has waited longer. A bot's counts only beside another bot's.
fn waited_together_ms(one: &Card, other: &Card) -> u64 {
    match (one.human, other.human) {
        (true, false) => one.waited_ms,
        (false, true) => other.waited_ms,
        _ => one.waited_ms.max(other.waited_ms),
    }
}

/// Humans always; a bot with a human who has waited long enough. Bots among themselves only in tournaments, which are no
/// talks: there it is the bots that have to have waited long enough.
fn kinds_go_together(rules: &Rules, one: &Card, other: &Card) -> bool {
    if one.human && other.human {
        return true;
    }
    let tournament = matches!(rules.outcome, Outcome::Tournament { .. });
    let waited = waited_together_ms(one, other);
    (one.human || other.human || tournament) && rules.bots_after_ms.is_some_and(|after| waited >= after)
}

/// Whether they are near enough, if both have one.
fn ratings_go_together(rules: &Rules, one: &Card, other: &Card, waited_ms: u64) -> bool {
    let (Some(rule), Some(one), Some(other)) = (rules.rating, one.rating, other.rating) else { return true };
    let grown = u64::from(rule.grows_per_s).saturating_mul(waited_ms) / 1_000;
    let within = u64::from(rule.within).saturating_add(grown);
    let within = rule.at_most.map_or(within, |at_most| within.min(at_most.into()));
    u64::from(one.abs_diff(other)) <= within
}
