//! How well two go together.

use super::crowd::{Card, Crowd};
use crate::matching::Rules;

/// What a weight of 1 is worth, so that shares of it can be counted.
const UNIT: u64 = 1_000;

/// So many interests in common are as good as can be hoped for: a talk does not need more of them.
const ENOUGH_IN_COMMON: u64 = 3;

/// What was gained of what could have been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Points {
    pub gained: u64,
    pub possible: u64,
}

impl Points {
    /// Adds another pair's.
    pub fn add(&mut self, other: Points) {
        self.gained = self.gained.saturating_add(other.gained);
        self.possible = self.possible.saturating_add(other.possible);
    }

    /// 0 to 100, rounded down. 100 where nothing is preferred.
    pub fn quality(self) -> u32 {
        (self.gained * 100).checked_div(self.possible).unwrap_or(100) as u32
    }
}

impl Crowd<'_> {
    /// How well two of the crowd go together.
    pub fn points(&self, a: usize, b: usize) -> Points {
        let (one, other) = (&self.cards[a], &self.cards[b]);
        let mut points = preferences(self.rules, one, other);
        points.add(interests(self.rules, self.likes(a), self.likes(b)));
        points.add(ratings(self.rules, one, other));
        points
    }

    /// How well these go together, 0 to 100: everybody with everybody.
    pub fn quality(&self, members: &[usize]) -> u32 {
        let mut points = Points::default();
        for (nth, one) in members.iter().enumerate() {
            members[..nth].iter().for_each(|other| points.add(self.points(*one, *other)));
        }
        points.quality()
    }
}

/// Equal is worth the weight, left out by one half of it: nobody knows.
fn preferences(rules: &Rules, one: &Card, other: &Card) -> Points {
    let mut points = Points::default();
    for (nth, preference) in rules.prefer.iter().take(Rules::MAX_FIELDS).enumerate() {
        let (one, other, worth) = (one.prefer[nth], other.prefer[nth], u64::from(preference.weight) * UNIT);
        points.possible += worth;
        if one == 0 || other == 0 {
            points.gained += worth / 2;
        } else if one == other {
            points.gained += worth;
        }
    }
    points
}

/// Each in common, up to what is enough, of what both could have in common.
fn interests(rules: &Rules, one: &[u32], other: &[u32]) -> Points {
    let worth = u64::from(rules.interests_weight) * UNIT;
    let most = one.len().min(other.len()) as u64;
    if most == 0 || worth == 0 {
        return Points::default();
    }
    let common = in_common(one, other);
    Points { gained: worth * common.min(ENOUGH_IN_COMMON), possible: worth * most.min(ENOUGH_IN_COMMON) }
}

fn in_common(one: &[u32], other: &[u32]) -> u64 {
    let (mut one, mut other, mut common) = (one.iter().peekable(), other.iter().peekable(), 0);
    while let (Some(left), Some(right)) = (one.peek(), other.peek()) {
        let order = left.cmp(right);
        common += u64::from(order.is_eq());
        if order.is_le() {
            one.next();
        }
        if order.is_ge() {
            other.next();
        }
    }
    common
}

/// Closeness is worth as much as all preferences together: where ratings are compared, a fair game hangs on them. All of
/// it for equal ones, half for those as far apart as may be at once, a third for twice as far, and so on.
fn ratings(rules: &Rules, one: &Card, other: &Card) -> Points {
    let (Some(rule), Some(one), Some(other)) = (rules.rating, one.rating, other.rating) else {
        return Points::default();
    };
    let weights: u64 = rules.prefer.iter().map(|preference| u64::from(preference.weight)).sum();
    let (worth, scale) = (weights.max(1) * UNIT, u64::from(rule.within.max(1)));
    Points { gained: worth * scale / (scale + u64::from(one.abs_diff(other))), possible: worth }
}
