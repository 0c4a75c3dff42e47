//! Tickets that wait, the same at every run.

use arena_core::Timestamp;
use arena_core::matching::{Kind, Label, TicketId, Waiting, Wish};
use std::sync::Arc;
use uuid::Uuid;

/// The moment at which they are looked at.
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

const REGIONS: [&str; 5] = ["eu-west", "us-east", "us-west", "ap-south", "sa-east"];
const LANGUAGES: [&str; 6] = ["en", "de", "es", "pt", "hi", "fr"];
const MODES: [&str; 4] = ["ranked", "casual", "blitz", "training"];
const INTERESTS: [&str; 10] =
    ["music", "films", "games", "cooking", "travel", "sports", "books", "cars", "art", "science"];

/// So many humans who have come within the last half minute, of every region, language, mode and strength.
pub fn humans(many: usize) -> Vec<Waiting> {
    (0..many as u64).map(human).collect()
}

fn human(nth: u64) -> Waiting {
    let mut chance = mixed(nth);
    let mut below = |bound: u64| {
        chance = mixed(chance);
        chance % bound
    };
    let user = format!("user-{nth}").parse().expect("invariant: such a name is a participant id");
    let mut wish = Wish::of(user, Kind::Human);
    wish.region = REGIONS[below(5) as usize].parse().ok();
    wish.language = LANGUAGES[below(6) as usize].parse().ok();
    wish.interests = (0..3).filter_map(|_| INTERESTS[below(10) as usize].parse().ok()).collect();
    // The sum of several throws is near the middle, as ratings are.
    wish.rating = i32::try_from((0..6).map(|_| below(400)).sum::<u64>()).ok();
    let mode: Option<Label> = MODES[below(4) as usize].parse().ok();
    wish.attributes.extend("mode".parse().ok().zip(mode));
    Waiting {
        id: TicketId(Uuid::from_u64_pair(mixed(!nth), nth)),
        version: 1,
        since: Timestamp(NOW.0 - below(30_000) as i64),
        ahead: false,
        wish: Arc::new(wish),
    }
}

/// SplitMix64's mixing (Steele, Lea, Flood, 2014).
fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
