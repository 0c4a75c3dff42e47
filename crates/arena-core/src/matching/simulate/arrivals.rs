//! Who comes when.

use super::chance::Chance;
use super::plan::Plan;
use crate::conversation::ParticipantId;
use crate::matching::{Kind, Wish};
use crate::time::Timestamp;
use std::sync::Arc;

/// Somebody comes.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub at: Timestamp,
    /// Its number, which all its chances hang on.
    pub number: u64,
    pub wish: Arc<Wish>,
    /// It leaves after having waited so long.
    pub patience_ms: Option<u64>,
}

/// Numbers of bots begin here, those of humans at 0.
const BOTS: u64 = 1 << 40;

/// What is drawn for a thing, so that nothing that is drawn hangs on anything else.
const COMING: u64 = 1 << 60;
const BEING: u64 = 2 << 60;
const TALKING: u64 = 3 << 60;

/// Bots at the beginning, then humans in the order in which they come.
pub(super) fn arrivals(plan: &Plan) -> Vec<Arrival> {
    let mut chance = Chance::of(plan.seed, COMING);
    let bots = (0..u64::from(plan.bots)).map(|nth| bot(BOTS + nth));
    let (mut arrivals, mut humans): (Vec<Arrival>, u64) = (bots.collect(), 0);
    // In each millisecond come as many as there are whole ones of them, and one more as often as the rest says.
    let each_ms = plan.humans_per_s / 1_000.0;
    let (whole, rest) = (each_ms as u64, ((each_ms % 1.0) * 1e12) as u64);
    for ms in 0..i64::from(plan.duration_s) * 1_000 {
        let many = whole + u64::from(chance.below(1_000_000_000_000) < rest);
        arrivals.extend((humans..humans + many).map(|number| human(plan, number, Timestamp(ms))));
        humans += many;
    }
    arrivals
}

fn bot(number: u64) -> Arrival {
    let wish = Wish::of(named("bot", number - BOTS), Kind::Bot);
    Arrival { at: Timestamp(0), number, wish: Arc::new(wish), patience_ms: None }
}

fn human(plan: &Plan, number: u64, at: Timestamp) -> Arrival {
    let mut chance = Chance::of(plan.seed, BEING + number);
    let mut wish = Wish::of(named("human", number), Kind::Human);
    wish.region = chance.pick(plan.regions.iter()).cloned();
    wish.language = chance.pick(plan.languages.iter()).cloned();
    let even = plan.interests.iter().map(|interest| (interest, &1));
    wish.interests = (0..plan.interests_each).filter_map(|_| chance.pick(even.clone()).cloned()).collect();
    wish.rating = Some(rating(plan, &mut chance));
    let patience_ms = chance.percent(plan.impatient_percent).then(|| chance.around(plan.patience_ms));
    Arrival { at, number, wish: Arc::new(wish), patience_ms }
}

/// The sum of four throws is bell-shaped enough.
fn rating(plan: &Plan, chance: &mut Chance) -> i32 {
    let spread = u64::from(plan.rating_spread);
    let thrown: u64 = (0..4).map(|_| chance.below(spread / 2 + 1)).sum();
    let away = i64::try_from(thrown).unwrap_or(0) - i64::from(plan.rating_spread);
    i32::try_from(i64::from(plan.rating) + away).unwrap_or(plan.rating)
}

fn named(what: &str, number: u64) -> ParticipantId {
    format!("{what}-{number}").parse().expect("invariant: such a name is a participant id")
}

/// How long the nth talk of somebody lasts, and whether it skips it. It is the same whoever the partner is.
pub(super) fn talk(plan: &Plan, number: u64, nth: u32) -> (u64, bool) {
    let mut chance = Chance::of(plan.seed, TALKING + (number << 16) + u64::from(nth));
    let full = chance.around(plan.talk_ms).max(1);
    if number < BOTS && chance.percent(plan.skip_percent) {
        (1 + chance.below(full), true)
    } else {
        (full, false)
    }
}
