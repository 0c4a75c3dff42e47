//! What an operator may set about a world.

use crate::map::TownMap;
use serde::{Deserialize, Serialize};

/// Settings of one world. Times are in milliseconds and are rounded up to whole ticks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorldSettings {
    /// Length of a tick (10–1,000).
    pub tick_ms: u32,
    /// Most residents at once: at most half of the map's free tiles, so that everyone finds a place to stand.
    pub max_residents: u32,
    /// How long an invited resident may take to answer.
    pub invite_timeout_ms: u32,
    /// How long two residents may take to reach each other.
    pub approach_timeout_ms: u32,
    /// How long the one whose turn it is may stay silent.
    pub silence_timeout_ms: u32,
    /// Messages after which a conversation ends (AI Town: 8).
    pub max_messages: u8,
    /// Time after which a conversation ends (AI Town: 10 minutes).
    pub max_conversation_ms: u32,
    /// How long wanderers leave each other alone after a talk or a refusal.
    pub pair_cooldown_ms: u32,
    /// Longest text, in characters.
    pub max_text_chars: u16,
    /// Whether a line needs leave before it is said: then it is an [`Effect::WantsToSay`](crate::Effect::WantsToSay)
    /// first, and heard only after an [`Input::MaySay`](crate::Input::MaySay). Left out of what is stored where it is
    /// not so.
    #[serde(skip_serializing_if = "is_false")]
    pub asks_before_talk: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Default for WorldSettings {
    fn default() -> Self {
        WorldSettings {
            tick_ms: 200,
            max_residents: 30,
            invite_timeout_ms: 15_000,
            approach_timeout_ms: 60_000,
            silence_timeout_ms: 60_000,
            max_messages: 8,
            max_conversation_ms: 600_000,
            pair_cooldown_ms: 180_000,
            max_text_chars: 500,
            asks_before_talk: false,
        }
    }
}

/// A world that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A setting is outside what the simulation supports.
    #[error("{setting} is {got}, but must be within {low} to {high}")]
    OutOfRange {
        /// The setting's name.
        setting: &'static str,
        /// What was asked for.
        got: u64,
        /// Least value.
        low: u64,
        /// Greatest value.
        high: u64,
    },
    /// The map is too small for that many residents.
    #[error("the map bears {limit} residents, but max_residents is {got}: lower it or use a larger map")]
    MapTooSmall {
        /// What the map bears.
        limit: u32,
        /// What was asked for.
        got: u32,
    },
}

impl WorldSettings {
    /// Most residents that any world may hold.
    pub const MAX_RESIDENTS: u32 = 16_384;

    /// Checks every setting on its own and the number of residents against the map.
    pub fn validate(&self, map: &TownMap) -> Result<(), SettingsError> {
        const HOUR_MS: u32 = 3_600_000;
        within("tick_ms", self.tick_ms, 10, 1_000)?;
        within("max_residents", self.max_residents, 1, Self::MAX_RESIDENTS)?;
        within("invite_timeout_ms", self.invite_timeout_ms, 1, HOUR_MS)?;
        within("approach_timeout_ms", self.approach_timeout_ms, 1, HOUR_MS)?;
        within("silence_timeout_ms", self.silence_timeout_ms, 1, HOUR_MS)?;
        within("max_messages", self.max_messages.into(), 1, 200)?;
        within("max_conversation_ms", self.max_conversation_ms, 1, 24 * HOUR_MS)?;
        within("pair_cooldown_ms", self.pair_cooldown_ms, 0, 24 * HOUR_MS)?;
        within("max_text_chars", self.max_text_chars.into(), 1, 4_000)?;
        let limit = map.max_residents();
        if self.max_residents > limit {
            return Err(SettingsError::MapTooSmall { limit, got: self.max_residents });
        }
        Ok(())
    }

    /// Whole ticks that cover `ms`, at least one.
    pub(crate) fn ticks(&self, ms: u32) -> u64 {
        u64::from(ms.div_ceil(self.tick_ms)).max(1)
    }
}

fn within(setting: &'static str, got: u32, low: u32, high: u32) -> Result<(), SettingsError> {
    if (low..=high).contains(&got) {
        Ok(())
    } else {
        Err(SettingsError::OutOfRange { setting, got: got.into(), low: low.into(), high: high.into() })
    }
}
