//! What is replayed.

use crate::channel::Region;
use crate::matching::Label;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who comes, and how they behave. What is left out is as in [`Plan::default`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Decides all that is left to chance.
    pub seed: u64,
    /// For how long people come, in seconds.
    pub duration_s: u32,
    /// How many humans come in a second, on average; at random times.
    pub humans_per_s: f64,
    /// Bots that stand by. They go with every region and language.
    pub bots: u32,
    /// Where humans are, by shares. Empty: they do not say.
    pub regions: BTreeMap<Region, u32>,
    /// What humans speak, by shares. Empty: they do not say.
    pub languages: BTreeMap<Label, u32>,
    /// What they may be interested in.
    pub interests: Vec<Label>,
    /// How many interests each has.
    pub interests_each: u32,
    /// The middle of their ratings.
    pub rating: i32,
    /// How far ratings are from the middle at most; most are much nearer.
    pub rating_spread: u32,
    /// How many in 100 leave when it takes too long.
    pub impatient_percent: u32,
    /// After how many milliseconds of waiting they do, half of that to half as much again.
    pub patience_ms: u64,
    /// How long talks last, in milliseconds, half of that to half as much again.
    pub talk_ms: u64,
    /// In how many talks of 100 a human skips, sooner or later; then all wait again who were in it.
    pub skip_percent: u32,
    /// How often tickets are put together, in milliseconds.
    pub tick_ms: u32,
}

/// Why a plan, or rules, cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PlanError(pub String);

impl Default for Plan {
    /// Ten minutes of an evening: 1,200 humans of three regions and four languages, and twenty bots.
    fn default() -> Self {
        Plan {
            seed: 1,
            duration_s: 600,
            humans_per_s: 2.0,
            bots: 20,
            regions: shares(&[("eu-west", 4), ("us-east", 4), ("ap-south", 2)]),
            languages: shares(&[("en", 6), ("es", 2), ("de", 1), ("pt", 1)]),
            interests: ["music", "films", "games", "cooking", "travel", "sports", "books", "science"]
                .iter()
                .filter_map(|name| name.parse().ok())
                .collect(),
            interests_each: 3,
            rating: 1_500,
            rating_spread: 1_000,
            impatient_percent: 20,
            patience_ms: 8_000,
            talk_ms: 45_000,
            skip_percent: 30,
            tick_ms: 250,
        }
    }
}

fn shares<T: std::str::FromStr + Ord>(shares: &[(&str, u32)]) -> BTreeMap<T, u32> {
    shares.iter().filter_map(|(name, share)| Some((name.parse().ok()?, *share))).collect()
}

impl Plan {
    /// The longest replay, in seconds: a day.
    pub const MAX_DURATION_S: u32 = 86_400;
    /// The most humans who come in all.
    pub const MAX_HUMANS: f64 = 1_000_000.0;
    /// The most bots.
    pub const MAX_BOTS: u32 = 10_000;

    /// Whether it can be replayed.
    pub fn check(&self) -> Result<(), PlanError> {
        let wrong = |words: &str| Err(PlanError(words.to_owned()));
        if !(1..=Self::MAX_DURATION_S).contains(&self.duration_s) {
            return wrong("duration_s must be 1 to 86400");
        }
        let humans = self.humans_per_s * f64::from(self.duration_s);
        if !(self.humans_per_s >= 0.0 && humans <= Self::MAX_HUMANS) {
            return wrong("humans_per_s times duration_s must be 0 to 1000000");
        }
        if self.bots > Self::MAX_BOTS {
            return wrong("bots must be at most 10000");
        }
        if !(10..=60_000).contains(&self.tick_ms) {
            return wrong("tick_ms must be 10 to 60000");
        }
        if self.impatient_percent > 100 || self.skip_percent > 100 {
            return wrong("impatient_percent and skip_percent must be at most 100");
        }
        if [self.patience_ms, self.talk_ms].iter().any(|ms| !(1..=86_400_000).contains(ms)) {
            return wrong("patience_ms and talk_ms must be 1 to 86400000");
        }
        if self.interests_each > 20 || self.interests.len() > 1_000 {
            return wrong("interests_each must be at most 20, of at most 1000 interests");
        }
        Ok(())
    }
}
