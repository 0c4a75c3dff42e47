//! What steers a resident, and the character of those that steer themselves.

use crate::hash::Fnv;
use crate::rng::Rng;
use arena_core::BotId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What steers a resident.
#[derive(Debug, Clone, PartialEq)]
pub enum BrainKind {
    /// Inputs alone: a player, or a bot whose brain is elsewhere.
    Puppet,
    /// The built-in brain: it walks, rests, meets others and chats, as its persona likes.
    Wanderer(Persona),
}

/// The character of a wanderer. Zones that the map does not have carry no weight, so a bot's persona does not have
/// to know the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Persona {
    /// Where it appears, and likes to be most.
    pub home_zone: Option<String>,
    /// How much it is drawn to each zone; zones without an entry weigh 1.
    pub zone_weights: BTreeMap<String, u16>,
    /// How likely it starts and takes a talk, in percent.
    pub sociability: u8,
    /// How little it rests, in percent.
    pub restlessness: u8,
    /// How long its talks are, in percent.
    pub chattiness: u8,
    /// Walking speed in 1/256ths of a tile a second; brought within 64 to 2,048. 0.75–1.5 tiles/s looks right.
    pub speed: u16,
    /// The tone of its lines.
    pub temper: Temper,
}

impl Default for Persona {
    fn default() -> Self {
        Persona {
            home_zone: None,
            zone_weights: BTreeMap::new(),
            sociability: 50,
            restlessness: 50,
            chattiness: 50,
            speed: 256,
            temper: Temper::Warm,
        }
    }
}

/// The tone of a wanderer's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Temper {
    /// Friendly.
    Warm,
    /// Laconic.
    Dry,
    /// Melancholy.
    Gloomy,
    /// Loud.
    Bold,
}

impl Temper {
    const ALL: [Temper; 4] = [Temper::Warm, Temper::Dry, Temper::Gloomy, Temper::Bold];
}

/// Weight of the home zone against 1 for any other.
const HOME_WEIGHT: u16 = 8;

impl Persona {
    /// A persona for a bot: numbers spread by its id, so that a crowd is varied and each bot stays itself, then
    /// bent by the trait words that are known (`friendly`, `shy`, `restless`, `lazy`, `grumpy`, `bold`, …).
    pub fn for_bot(bot: BotId, home_zone: Option<&str>, traits: &[&str]) -> Persona {
        let mut hash = Fnv::new();
        hash.bytes(bot.0.as_bytes());
        let mut rng = Rng::new(hash.finish());
        let mut persona = Persona {
            home_zone: home_zone.map(str::to_owned),
            zone_weights: home_zone.map(|home| (home.to_owned(), HOME_WEIGHT)).into_iter().collect(),
            sociability: rng.within(35, 75) as u8,
            restlessness: rng.within(30, 80) as u8,
            chattiness: rng.within(20, 90) as u8,
            speed: rng.within(192, 384) as u16,
            temper: Temper::ALL[rng.below(4) as usize],
        };
        for word in traits {
            persona.bend(&word.to_lowercase());
        }
        persona
    }

    fn bend(&mut self, word: &str) {
        match word {
            "friendly" | "kind" | "cheerful" | "warm" => (self.temper, self.sociability) = (Temper::Warm, 80),
            "social" | "outgoing" | "charming" => self.sociability = 90,
            "shy" | "quiet" | "loner" | "reserved" => (self.sociability, self.chattiness) = (20, 20),
            "talkative" | "chatty" | "curious" => self.chattiness = 90,
            "grumpy" | "cynical" | "sarcastic" | "dry" => self.temper = Temper::Dry,
            "gloomy" | "melancholic" | "anxious" | "mysterious" => self.temper = Temper::Gloomy,
            "bold" | "loud" | "reckless" | "ambitious" | "competitive" => self.temper = Temper::Bold,
            "restless" | "energetic" | "adventurous" => (self.restlessness, self.speed) = (90, 384),
            "lazy" | "calm" | "patient" | "sleepy" => (self.restlessness, self.speed) = (20, 192),
            _ => {}
        }
    }
}
