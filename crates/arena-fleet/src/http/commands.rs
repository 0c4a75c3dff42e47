//! What an operator can tell the fleet. Each says what is wanted, so that telling it twice is telling it once.

use super::body::{Json, NoBody};
use super::problem::Problem;
use super::{Door, NotSent, Sent};
use crate::stats::ManagerReport;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// More bots than one process is meant for.
const MAX_BOTS: usize = 100_000;

/// The longest id of a conversation or a bot, in bytes.
const MAX_ID_BYTES: usize = 200;

/// `POST /pause`.
pub(super) async fn pause(State(door): State<Door>, _: NoBody) -> Answer<ManagerReport> {
    door.helm.pause();
    manager(&door)
}

/// `POST /resume`.
pub(super) async fn resume(State(door): State<Door>, _: NoBody) -> Answer<ManagerReport> {
    door.helm.resume();
    manager(&door)
}

/// `POST /drain`.
pub(super) async fn drain(State(door): State<Door>, _: NoBody) -> Answer<ManagerReport> {
    door.helm.drain();
    manager(&door)
}

/// How many bots are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scale {
    count: Count,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`count` must be a whole number from 0 to 100000, or \"auto\"")]
enum Count {
    Bots(usize),
    Word(Auto),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Auto {
    Auto,
}

/// `POST /scale`.
pub(super) async fn scale(
    State(door): State<Door>,
    Json(scale): Json<Scale>,
) -> Result<Answer<ManagerReport>, Problem> {
    let wanted = match scale.count {
        Count::Bots(bots) if bots > MAX_BOTS => {
            let detail = format!("`count` must be a whole number from 0 to {MAX_BOTS}, or \"auto\"");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail));
        }
        Count::Bots(bots) => Some(bots),
        Count::Word(Auto::Auto) => None,
    };
    door.helm.scale(wanted);
    Ok(manager(&door))
}

/// Where a bot is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Talk {
    conversation: String,
    bot: Option<String>,
}

/// Who goes there: what `POST /talks` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talking {
    /// The conversation.
    pub conversation: String,
    /// The bot's id.
    pub bot: String,
    /// Its name.
    pub name: String,
}

/// `POST /talks`.
pub(super) async fn talk(
    State(door): State<Door>,
    Json(talk): Json<Talk>,
) -> Result<Answer<Talking>, Problem> {
    let Talk { conversation, bot } = talk;
    for (name, id) in [("conversation", Some(&conversation)), ("bot", bot.as_ref())] {
        if id.is_some_and(|id| !is_id(id)) {
            let detail = format!("`{name}` must be 1 to {MAX_ID_BYTES} bytes without control characters");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail));
        }
    }
    let Sent { bot, name } = door.helm.talk(&conversation, bot.as_deref()).await.map_err(refusal)?;
    Ok(Answer(Talking { conversation, bot, name }))
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn refusal(not_sent: NotSent) -> Problem {
    let detail = not_sent.to_string();
    match not_sent {
        NotSent::Unknown(_) => Problem::new(StatusCode::NOT_FOUND, "bot_not_running", detail),
        NotSent::Busy { .. } => Problem::new(StatusCode::CONFLICT, "bot_busy", detail).passing(5),
        NotSent::NobodyIdle => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_idle_bot", detail).passing(5)
        }
        NotSent::Refused { code, .. } => Problem::new(StatusCode::CONFLICT, code, detail),
    }
}

fn manager(door: &Door) -> Answer<ManagerReport> {
    Answer(door.helm.stats(false).manager)
}
