//! A queue's ruleset, as data.

use super::Label;
use crate::channel::Region;
use crate::conversation::{Caps, Limits, Setup};
use crate::ids::ParseIdError;
use crate::tournament::Format;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What tickets of a queue are matched by. What is left out is as in [`Rules::default`]: pairs, of anybody, no bots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Teams in a match, 1 to [`Rules::MAX_TEAMS`].
    pub teams: u32,
    /// Users in a team, 1 to [`Rules::MAX_TEAM_SIZE`]. A party is never split.
    pub team_size: u32,
    /// What has to be the same on all tickets of a match. Left out by both counts as the same, left out by one does not.
    pub must: Vec<Field>,
    /// What had better be the same; whoever leaves it out gets along with everybody.
    pub prefer: Vec<Preference>,
    /// How far ratings may be apart. A ticket without a rating gets along with every rating.
    pub rating: Option<RatingRule>,
    /// How much each interest in common counts, beside the weights of preferences.
    pub interests_weight: u32,
    /// After how many milliseconds of waiting a human may be given bots as partners, if no human fits; `None` is never. Bots
    /// are never matched among themselves: several of them fill a larger match only beside a human. A tournament is no
    /// talk and may be of bots alone, after they have waited as long, and while no human waits who could be in it.
    pub bots_after_ms: Option<u64>,
    /// How long a ticket waits at least, in milliseconds, so that there is a choice.
    pub min_wait_ms: u64,
    /// How long it waits at most, in milliseconds; then it ends as timed out. `None` is for ever.
    pub max_wait_ms: Option<u64>,
    /// For how long whoever was in a match together is not matched again, in milliseconds.
    pub skip_window_ms: u64,
    /// How long everybody has to confirm a match, in milliseconds.
    pub confirm_ms: u64,
    /// After how many milliseconds without a heartbeat a ticket counts as given up.
    pub silent_ms: u64,
    /// How long a partner whose connection has ended is waited for, in milliseconds.
    pub away_ms: u64,
    /// How long each round of a tournament may take, in milliseconds: its games of round n are decided n times as long
    /// after it has begun.
    pub round_ms: u64,
    /// What a match is.
    pub outcome: Outcome,
}

/// What a match is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A conversation of all who are in it. `participants`, `parent` and `root` of the setup are filled in.
    Talk(Box<Setup>),
    /// A tournament in a channel of its own. `teams` counts those who enter, and `team_size` is 1.
    Tournament {
        /// Who plays whom.
        format: Format,
        /// Where its channel is; `None` is anywhere.
        region: Option<Region>,
    },
}

/// What a ticket says of itself that can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Field {
    /// `region`.
    Region,
    /// `language`.
    Language,
    /// `attributes.<name>`.
    Attribute(Label),
}

/// Something that had better be the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preference {
    /// What.
    pub field: Field,
    /// For how many milliseconds of waiting it is insisted on. Two go together as soon as the one who has waited longer
    /// insists no more; `null` insists for ever, 0 never. Between a human and a bot only the human's waiting counts: bots
    /// stand by for hours, and that is no reason to give anybody less than what was asked for.
    pub for_ms: Option<u64>,
    /// How much it counts when there is a choice.
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// How far ratings may be apart: `within`, and more with every second that the one waits who has waited longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingRule {
    /// At once.
    pub within: u32,
    /// More with every second of waiting.
    #[serde(default)]
    pub grows_per_s: u32,
    /// Never more than this; `None` is without bound.
    #[serde(default)]
    pub at_most: Option<u32>,
}

/// Why rules are not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RulesError(pub String);

impl Rules {
    /// The most teams in a match; the most who enter a tournament.
    pub const MAX_TEAMS: u32 = 256;
    /// The most who play everybody against everybody: they play 496 games.
    pub const MAX_ROUND_ROBIN: u32 = 32;
    /// The most users in a team.
    pub const MAX_TEAM_SIZE: u32 = 16;
    /// The most users in a match. Everybody in it is compared with everybody.
    pub const MAX_USERS: u32 = 256;
    /// The most that a preference, or an interest in common, counts.
    pub const MAX_WEIGHT: u32 = 1_000;
    /// The longest duration, in milliseconds: a day.
    pub const MAX_DURATION_MS: u64 = 86_400_000;
    /// The most fields in `must`, and in `prefer`.
    pub const MAX_FIELDS: usize = 8;

    /// The rules of the queue that is there from the start: pairs of strangers, of one region first and of the world
    /// after 10 s, humans first and bots after 5 s. A talk has 400 messages, and ends
    /// after ten minutes of silence.
    pub fn strangers() -> Rules {
        let total = Caps { messages: Some(400), ..Caps::default() };
        let limits = Limits { total, idle_timeout_ms: Some(600_000), ..Limits::default() };
        let prefer = |field, for_ms, weight| Preference { field, for_ms: Some(for_ms), weight };
        Rules {
            prefer: vec![prefer(Field::Region, 10_000, 2), prefer(Field::Language, 20_000, 4)],
            bots_after_ms: Some(5_000),
            outcome: Outcome::Talk(Box::new(Setup { limits, ..Setup::default() })),
            ..Rules::default()
        }
    }

    /// Users in a match.
    pub fn users(&self) -> u32 {
        self.teams.saturating_mul(self.team_size)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            teams: 2,
            team_size: 1,
            must: Vec::new(),
            prefer: Vec::new(),
            rating: None,
            interests_weight: 1,
            bots_after_ms: None,
            min_wait_ms: 0,
            max_wait_ms: None,
            skip_window_ms: 600_000,
            confirm_ms: 8_000,
            silent_ms: 45_000,
            away_ms: 10_000,
            round_ms: 3_600_000,
            outcome: Outcome::Talk(Box::default()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Region => f.write_str("region"),
            Field::Language => f.write_str("language"),
            Field::Attribute(name) => write!(f, "attributes.{name}"),
        }
    }
}

impl FromStr for Field {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "region" => Ok(Field::Region),
            "language" => Ok(Field::Language),
            _ => match text.strip_prefix("attributes.").map(str::parse) {
                Some(Ok(name)) => Ok(Field::Attribute(name)),
                _ => Err(ParseIdError::new("field (region, language or attributes.<name>)", text)),
            },
        }
    }
}

impl TryFrom<String> for Field {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Field> for String {
    fn from(field: Field) -> String {
        field.to_string()
    }
}
