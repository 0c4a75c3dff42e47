//! Tournaments.

use arena_control::{MatchBody, MatchRow};
use arena_core::conversation::ParticipantId;
use arena_core::tournament::Tournament;
use serde::{Deserialize, Deserializer, Serialize};

/// A tournament as it is shown: the match that it is, and its games.
#[derive(Debug, Serialize)]
pub(crate) struct TournamentBody {
    #[serde(flatten)]
    of: MatchBody,
    tournament: Tournament,
}

impl TournamentBody {
    pub(crate) fn new((row, tournament): (MatchRow, Tournament)) -> TournamentBody {
        TournamentBody { of: MatchBody::new(&row), tournament }
    }
}

/// The result of a game. A draw is told as `"winner": null`, never by leaving it out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResultBody {
    pub(crate) user: Option<ParticipantId>,
    #[serde(deserialize_with = "named")]
    pub(crate) winner: Option<ParticipantId>,
    pub(crate) score: Option<(u32, u32)>,
}

/// With this a field has to be there, though it may be `null`.
pub(super) fn named<'de, D: Deserializer<'de>>(value: D) -> Result<Option<ParticipantId>, D::Error> {
    Option::deserialize(value)
}
