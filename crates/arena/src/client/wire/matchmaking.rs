//! Queues, tickets, matches and tournaments.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A queue.
#[derive(Debug, Clone, Deserialize)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its rules, by name.
    #[serde(default)]
    pub rules: Map<String, Value>,
    /// Rises with every change of the rules.
    pub version: i64,
    /// Who waits.
    pub waiting: Waiting,
    /// Tickets in matches that are to be confirmed.
    pub proposed: u64,
    /// Tickets in matches that stand.
    pub matched: u64,
    /// What became of those who left it lately.
    pub last_hour: LastHour,
}

/// Who waits in a queue.
#[derive(Debug, Clone, Deserialize)]
pub struct Waiting {
    /// Humans.
    pub humans: u64,
    /// Bots.
    pub bots: u64,
    /// How long the human has waited who has waited longest.
    pub oldest_wait_ms: Option<u64>,
}

/// What became of those who left a queue in the last hour.
#[derive(Debug, Clone, Deserialize)]
pub struct LastHour {
    /// Humans who were matched.
    pub matched: u64,
    /// The wait that half of them did not exceed.
    pub wait_p50_ms: Option<u64>,
    /// The wait that 95 of 100 did not exceed.
    pub wait_p95_ms: Option<u64>,
    /// Mean quality of their matches.
    pub quality: Option<u32>,
    /// Humans who gave up.
    pub abandoned: u64,
    /// Matches that failed.
    pub failed: u64,
}

/// A ticket.
#[derive(Debug, Clone, Deserialize)]
pub struct Ticket {
    /// Its id.
    pub id: String,
    /// Where it waits.
    pub queue: String,
    /// Who acts for it.
    pub user: String,
    /// Human or bot.
    pub kind: String,
    /// Who comes along.
    #[serde(default)]
    pub party: Vec<String>,
    /// Where.
    pub region: Option<String>,
    /// What it speaks.
    pub language: Option<String>,
    /// What it likes.
    #[serde(default)]
    pub interests: Vec<String>,
    /// How strong it plays.
    pub rating: Option<i32>,
    /// Whatever else.
    #[serde(default)]
    pub attributes: Map<String, Value>,
    /// Whom it avoids.
    #[serde(default)]
    pub avoid: Vec<String>,
    /// Whether it waits again by itself.
    #[serde(default)]
    pub requeue: bool,
    /// Where it is in its life.
    pub state: String,
    /// Why it has ended.
    pub ended: Option<String>,
    /// Rises with every change.
    pub version: i64,
    /// When it began to wait.
    pub since_ms: i64,
    /// How long it waited for its match.
    pub waited_ms: Option<u64>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it changed.
    pub changed_at_ms: i64,
    /// Its match.
    pub r#match: Option<Match>,
}

/// A match.
#[derive(Debug, Clone, Deserialize)]
pub struct Match {
    /// Its id.
    pub id: String,
    /// The queue that it came from.
    pub queue: String,
    /// Where it is in its life.
    pub state: String,
    /// Why it has ended.
    pub ended: Option<String>,
    /// Whose doing that was.
    pub ended_by: Option<String>,
    /// Where its members talk.
    pub conversation: Option<String>,
    /// Where its tournament is.
    pub channel: Option<String>,
    /// 0 to 100.
    pub quality: u32,
    /// When it was made.
    pub made_at_ms: i64,
    /// When it changed.
    pub changed_at_ms: i64,
    /// Who is in it.
    pub members: Vec<Member>,
}

/// Who is in a match.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// The ticket.
    pub ticket: Option<String>,
    /// Who.
    pub user: String,
    /// Human or bot.
    pub kind: String,
    /// How it is called.
    pub name: Option<String>,
    /// Who came along.
    #[serde(default)]
    pub party: Vec<String>,
    /// From 0.
    pub team: u32,
    /// Whether it has confirmed.
    pub confirmed: bool,
}

/// What a user has said of a partner.
#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    /// Where they met.
    pub r#match: String,
    /// Who says it.
    pub reporter: String,
    /// Of whom.
    pub reported: String,
    /// A short word.
    pub reason: String,
    /// More of it.
    #[serde(default)]
    pub detail: String,
    /// When.
    pub created_at_ms: i64,
}

/// A tournament: a match, its games and who stands where.
#[derive(Debug, Clone, Deserialize)]
pub struct Tournament {
    /// The match that it is.
    #[serde(flatten)]
    pub of: Match,
    /// Who plays whom.
    pub format: String,
    /// Who plays.
    pub entrants: Vec<String>,
    /// Who has won it.
    pub champion: Option<String>,
    /// Its games.
    pub games: Vec<Game>,
    /// Who stands where, best first.
    pub standings: Vec<Standing>,
}

/// A game.
#[derive(Debug, Clone, Deserialize)]
pub struct Game {
    /// From 1.
    pub number: u32,
    /// From 1.
    pub round: u32,
    /// Who plays.
    pub a: Option<String>,
    /// Against whom.
    pub b: Option<String>,
    /// How it ended.
    pub result: Option<GameResult>,
}

/// How a game ended.
#[derive(Debug, Clone, Deserialize)]
pub struct GameResult {
    /// Who has won; nobody is a draw.
    pub winner: Option<String>,
    /// Points of both.
    pub score: Option<(u32, u32)>,
    /// It was not played.
    #[serde(default)]
    pub forfeit: bool,
}

/// Where somebody stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Standing {
    /// Who.
    pub user: String,
    /// From 1.
    pub rank: u32,
    /// Games won.
    pub won: u32,
    /// Games lost.
    pub lost: u32,
    /// Games drawn.
    pub drawn: u32,
    /// What counts.
    pub points: u32,
    /// It has left.
    #[serde(default)]
    pub withdrawn: bool,
}
