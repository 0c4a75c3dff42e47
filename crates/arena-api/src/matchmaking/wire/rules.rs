//! A queue's rules.

use crate::conversations::wire::{TalkBody, WireError, object};
use arena_core::channel::Region;
use arena_core::conversation::Setup;
use arena_core::matching::{Field, Outcome, Preference, RatingRule, Rules};
use arena_core::tournament::Format;
use serde::{Deserialize, Serialize};

/// Rules; what is left out is as in [`Rules::default`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RulesBody {
    teams: u32,
    team_size: u32,
    must: Vec<Field>,
    prefer: Vec<Preference>,
    rating: Option<RatingRule>,
    interests_weight: u32,
    bots_after_ms: Option<u64>,
    min_wait_ms: u64,
    max_wait_ms: Option<u64>,
    skip_window_ms: u64,
    confirm_ms: u64,
    silent_ms: u64,
    away_ms: u64,
    outcome: OutcomeBody,
}

/// What a match is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum OutcomeBody {
    Talk(Box<TalkBody>),
    Tournament(BracketBody),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BracketBody {
    format: Format,
    region: Option<Region>,
}

impl Default for RulesBody {
    fn default() -> RulesBody {
        RulesBody::from(Rules::default())
    }
}

impl From<RulesBody> for Rules {
    fn from(body: RulesBody) -> Rules {
        Rules {
            teams: body.teams,
            team_size: body.team_size,
            must: body.must,
            prefer: body.prefer,
            rating: body.rating,
            interests_weight: body.interests_weight,
            bots_after_ms: body.bots_after_ms,
            min_wait_ms: body.min_wait_ms,
            max_wait_ms: body.max_wait_ms,
            skip_window_ms: body.skip_window_ms,
            confirm_ms: body.confirm_ms,
            silent_ms: body.silent_ms,
            away_ms: body.away_ms,
            outcome: match body.outcome {
                OutcomeBody::Talk(talk) => Outcome::Talk(Box::new(Setup::from(*talk))),
                OutcomeBody::Tournament(BracketBody { format, region }) => {
                    Outcome::Tournament { format, region }
                }
            },
        }
    }
}

impl From<Rules> for RulesBody {
    fn from(rules: Rules) -> RulesBody {
        RulesBody {
            teams: rules.teams,
            team_size: rules.team_size,
            must: rules.must,
            prefer: rules.prefer,
            rating: rules.rating,
            interests_weight: rules.interests_weight,
            bots_after_ms: rules.bots_after_ms,
            min_wait_ms: rules.min_wait_ms,
            max_wait_ms: rules.max_wait_ms,
            skip_window_ms: rules.skip_window_ms,
            confirm_ms: rules.confirm_ms,
            silent_ms: rules.silent_ms,
            away_ms: rules.away_ms,
            outcome: match rules.outcome {
                Outcome::Talk(setup) => OutcomeBody::Talk(Box::new((*setup).into())),
                Outcome::Tournament { format, region } => {
                    OutcomeBody::Tournament(BracketBody { format, region })
                }
            },
        }
    }
}

/// Reads rules as `PUT /api/matchmaking/queues/{queue}` takes them. Whether they are acceptable is not checked here; an
/// error says in words what is wrong with the JSON.
pub fn rules_from_json(json: &str) -> Result<Rules, String> {
    object::<RulesBody>(json).map(Rules::from).map_err(|error: WireError| error.to_string())
}
