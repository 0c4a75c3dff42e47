//! Tournaments.

use arena_control::{Claim, Cup, MatchBody, MatchRow};
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::tournament::{Format, Game, GameResult, Standing};
use serde::{Deserialize, Deserializer, Serialize};

/// A tournament as it is shown: the match that it is, its games, and who stands where.
#[derive(Debug, Serialize)]
pub(crate) struct TournamentBody {
    #[serde(flatten)]
    of: MatchBody,
    format: Format,
    entrants: Vec<ParticipantId>,
    champion: Option<ParticipantId>,
    games: Vec<GameBody>,
    standings: Vec<StandingBody>,
}

#[derive(Debug, Serialize)]
struct GameBody {
    number: u32,
    round: u32,
    a: Option<ParticipantId>,
    b: Option<ParticipantId>,
    /// When it is decided without them.
    due_at_ms: Timestamp,
    /// What they say of it, until it has a result.
    claims: Vec<ClaimBody>,
    result: Option<EndBody>,
}

#[derive(Debug, Serialize)]
struct ClaimBody {
    by: ParticipantId,
    winner: Option<ParticipantId>,
    score: Option<(u32, u32)>,
}

#[derive(Debug, Serialize)]
struct EndBody {
    winner: Option<ParticipantId>,
    score: Option<(u32, u32)>,
    forfeit: bool,
    by: Option<ParticipantId>,
    at_ms: Timestamp,
}

#[derive(Debug, Serialize)]
struct StandingBody {
    rank: u32,
    user: ParticipantId,
    seed: u32,
    round: u32,
    played: u32,
    won: u32,
    drawn: u32,
    lost: u32,
    points: u32,
    scored: u64,
    conceded: u64,
    withdrawn: bool,
}

impl TournamentBody {
    /// As it is shown to operators, or to whoever plays.
    pub(crate) fn new((row, cup): (MatchRow, Cup), to_operators: bool) -> TournamentBody {
        let played = &cup.tournament;
        TournamentBody {
            of: if to_operators { MatchBody::for_operators(&row) } else { MatchBody::new(&row) },
            format: played.format,
            champion: played.champion(),
            games: played.games().into_iter().map(|game| GameBody::new(game, &cup)).collect(),
            standings: played.standings().into_iter().map(StandingBody::from).collect(),
            entrants: played.entrants.clone(),
        }
    }
}

impl GameBody {
    fn new(game: Game, of: &Cup) -> GameBody {
        let Game { number, round, a, b, result } = game;
        let claims = of.claims_of(number).iter().cloned().map(ClaimBody::from).collect();
        GameBody {
            number,
            round,
            a,
            b,
            due_at_ms: of.due_at(round),
            claims,
            result: result.map(EndBody::from),
        }
    }
}

impl From<Claim> for ClaimBody {
    fn from(claim: Claim) -> ClaimBody {
        let Claim { by, winner, score } = claim;
        ClaimBody { by, winner, score }
    }
}

impl From<GameResult> for EndBody {
    fn from(result: GameResult) -> EndBody {
        let GameResult { winner, score, forfeit, by, at } = result;
        EndBody { winner, score, forfeit, by, at_ms: at }
    }
}

impl From<Standing> for StandingBody {
    fn from(standing: Standing) -> StandingBody {
        StandingBody {
            rank: standing.rank,
            user: standing.user,
            seed: standing.seed,
            round: standing.round,
            played: standing.played,
            won: standing.won,
            drawn: standing.drawn,
            lost: standing.lost,
            points: standing.points,
            scored: standing.scored,
            conceded: standing.conceded,
            withdrawn: standing.withdrawn,
        }
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
pub(crate) fn named<'de, D: Deserializer<'de>>(value: D) -> Result<Option<ParticipantId>, D::Error> {
    Option::deserialize(value)
}
