//! A queue's rules.

use crate::conversations::wire::{TalkBody, WireError, object};
use arena_core::channel::Region;
use arena_core::conversation::Setup;
use arena_core::matching::{Field, Outcome, Preference, RatingRule, Rules};
use arena_core::tournament::Format;
use serde::{Deserialize, Serialize};

/// Rules; what is left out is as in [`Rules::default`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RulesBody {
    teams: Option<u32>,
    team_size: Option<u32>,
    must: Option<Vec<Field>>,
    prefer: Option<Vec<Preference>>,
    rating: Option<RatingRule>,
    interests_weight: Option<u32>,
    bots_after_ms: Option<u64>,
    min_wait_ms: Option<u64>,
    max_wait_ms: Option<u64>,
    skip_window_ms: Option<u64>,
    confirm_ms: Option<u64>,
    silent_ms: Option<u64>,
    away_ms: Option<u64>,
    round_ms: Option<u64>,
    outcome: Option<OutcomeBody>,
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

impl From<RulesBody> for Rules {
    fn from(body: RulesBody) -> Rules {
        let rules = Rules::default();
        Rules {
            teams: body.teams.unwrap_or(rules.teams),
            team_size: body.team_size.unwrap_or(rules.team_size),
            must: body.must.unwrap_or(rules.must),
            prefer: body.prefer.unwrap_or(rules.prefer),
            rating: body.rating.or(rules.rating),
            interests_weight: body.interests_weight.unwrap_or(rules.interests_weight),
            bots_after_ms: body.bots_after_ms.or(rules.bots_after_ms),
            min_wait_ms: body.min_wait_ms.unwrap_or(rules.min_wait_ms),
            max_wait_ms: body.max_wait_ms.or(rules.max_wait_ms),
            skip_window_ms: body.skip_window_ms.unwrap_or(rules.skip_window_ms),
            confirm_ms: body.confirm_ms.unwrap_or(rules.confirm_ms),
            silent_ms: body.silent_ms.unwrap_or(rules.silent_ms),
            away_ms: body.away_ms.unwrap_or(rules.away_ms),
            round_ms: body.round_ms.unwrap_or(rules.round_ms),
            outcome: body.outcome.map_or(rules.outcome, Outcome::from),
        }
    }
}

impl From<OutcomeBody> for Outcome {
    fn from(body: OutcomeBody) -> Outcome {
        match body {
            OutcomeBody::Talk(talk) => Outcome::Talk(Box::new(Setup::from(*talk))),
            OutcomeBody::Tournament(BracketBody { format, region }) => Outcome::Tournament { format, region },
        }
    }
}

impl From<Outcome> for OutcomeBody {
    fn from(outcome: Outcome) -> OutcomeBody {
        match outcome {
            Outcome::Talk(setup) => OutcomeBody::Talk(Box::new((*setup).into())),
            Outcome::Tournament { format, region } => OutcomeBody::Tournament(BracketBody { format, region }),
        }
    }
}

impl From<Rules> for RulesBody {
    fn from(rules: Rules) -> RulesBody {
        RulesBody {
            teams: Some(rules.teams),
            team_size: Some(rules.team_size),
            must: Some(rules.must),
            prefer: Some(rules.prefer),
            rating: rules.rating,
            interests_weight: Some(rules.interests_weight),
            bots_after_ms: rules.bots_after_ms,
            min_wait_ms: Some(rules.min_wait_ms),
            max_wait_ms: rules.max_wait_ms,
            skip_window_ms: Some(rules.skip_window_ms),
            confirm_ms: Some(rules.confirm_ms),
            silent_ms: Some(rules.silent_ms),
            away_ms: Some(rules.away_ms),
            round_ms: Some(rules.round_ms),
            outcome: Some(rules.outcome.into()),
        }
    }
}

/// Reads rules as `PUT /api/matchmaking/queues/{queue}` takes them. Whether they are acceptable is not checked here; an
/// error says in words what is wrong with the JSON.
pub fn rules_from_json(json: &str) -> Result<Rules, String> {
    object::<RulesBody>(json).map(Rules::from).map_err(|error: WireError| error.to_string())
}
