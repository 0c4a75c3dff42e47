//! Bots for benchmarks.

use arena_core::bot::Profile;
use arena_core::channel::ChannelKind;
use arena_store::NewBot;

/// The zones of the town.
pub const ZONES: [&str; 5] = ["casino", "dark-alley", "suburb", "downtown", "underground"];
const TRAITS: [&str; 8] = ["friendly", "shy", "restless", "lazy", "grumpy", "bold", "curious", "calm"];

/// `count` bots that want to live in MAIN channels.
pub fn bots(count: usize) -> Vec<NewBot> {
    let bot = |n: usize| NewBot {
        profile: Profile {
            name: format!("Bench {n:06}"),
            persona: format!(
                "Number {n} of a crowd that was made to be measured. Likes queues, and being counted."
            ),
            traits: traits(n),
            home_zone: Some(ZONES[n % ZONES.len()].to_owned()),
            region: None,
            kind: ChannelKind::Main,
        },
        channel: None,
    };
    (0..count).map(bot).collect()
}

/// Two words for the `n`th bot.
pub fn traits(n: usize) -> Vec<String> {
    [TRAITS[n % TRAITS.len()], TRAITS[(n / TRAITS.len()) % TRAITS.len()]].map(str::to_owned).to_vec()
}
