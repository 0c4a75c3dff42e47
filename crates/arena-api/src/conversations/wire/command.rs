//! What is asked of a conversation.

use super::amounts::AmountsBody;
use super::setup::ChangeBody;
use super::{Speaker, WireError, data};
use crate::extract::{BadJson, parse};
use arena_core::conversation::{
    Amounts, Command, MessageId, ParticipantId, ReservationId, Reserve, Say, TopUp,
};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// How long a reservation is held where nothing is said, in milliseconds.
const LEASE_MS: u64 = 60_000;

/// What `who` asks for with an event of this name and this payload: `message`, `reserve`, `release`, `top_up`,
/// `close`, `reopen`, `system`, `turn` or `configure`.
pub(crate) fn command(event: &str, json: &str, who: &Speaker) -> Result<Command, WireError> {
    match event {
        "message" => message(object(json)?, who),
        "reserve" => reserve(object(json)?, who),
        "release" => release(object(json)?, who),
        "top_up" | "close" | "reopen" | "system" | "turn" | "configure" => {
            who.must_be_service()?;
            governing(event, json, who)
        }
        other => Err(WireError::UnknownEvent(other.chars().take(40).collect())),
    }
}

/// What services do.
fn governing(event: &str, json: &str, who: &Speaker) -> Result<Command, WireError> {
    Ok(match event {
        "top_up" => Command::TopUp(object::<TopUpBody>(json)?.into()),
        "close" => object::<NothingBody>(json).map(|_| Command::Close)?,
        "reopen" => object::<NothingBody>(json).map(|_| Command::Reopen)?,
        "system" => {
            let SystemBody { id, text, data } = object(json)?;
            Command::SaySystem { id, text: text_of(text, who)?, data: data_of(data, who)? }
        }
        "turn" => object::<TurnBody>(json).map(|body| Command::GiveTurn(body.participant))?,
        _ => Command::Configure(Box::new(object::<ChangeBody>(json)?.into())),
    })
}

/// Reads a JSON object. Of anything else no field is at fault, so that what is wrong is said here.
pub(crate) fn object<T: DeserializeOwned>(json: &str) -> Result<T, WireError> {
    if json.trim_ascii_start().starts_with('{') {
        return Ok(parse(json.as_bytes())?);
    }
    match parse::<IgnoredAny>(json.as_bytes()) {
        Ok(_) => Err(WireError::Invalid("a JSON object is expected".to_owned())),
        Err(BadJson::Malformed(why) | BadJson::Invalid(why)) => Err(WireError::Malformed(why)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NothingBody {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageBody {
    id: Option<MessageId>,
    author: Option<ParticipantId>,
    text: String,
    data: Option<Box<RawValue>>,
    tokens: Option<u64>,
    cost_micros: Option<u64>,
    reservation: Option<ReservationId>,
}

fn message(body: MessageBody, who: &Speaker) -> Result<Command, WireError> {
    Ok(Command::Say(Say {
        author: who.name(body.author, "author")?,
        id: body.id,
        text: text_of(body.text, who)?,
        data: data_of(body.data, who)?,
        tokens: body.tokens.unwrap_or_default(),
        cost_micros: body.cost_micros.unwrap_or_default(),
        reservation: body.reservation,
    }))
}

fn text_of(text: String, who: &Speaker) -> Result<String, WireError> {
    let (got, max) = (text.len(), who.max_text_bytes);
    if got > max { Err(WireError::TooLong { field: "text", got, max }) } else { Ok(text) }
}

fn data_of(data: Option<Box<RawValue>>, who: &Speaker) -> Result<Option<Box<RawValue>>, WireError> {
    data.map(|value| data::bounded(&value, who.max_text_bytes)).transpose()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemBody {
    id: Option<MessageId>,
    text: String,
    data: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReserveBody {
    id: Option<ReservationId>,
    participant: Option<ParticipantId>,
    messages: Option<u64>,
    tokens: Option<u64>,
    cost_micros: Option<u64>,
    lease_ms: Option<u64>,
}

fn reserve(body: ReserveBody, who: &Speaker) -> Result<Command, WireError> {
    Ok(Command::Reserve(Reserve {
        participant: who.name(body.participant, "participant")?,
        id: body.id.unwrap_or_else(some_id),
        amounts: Amounts {
            messages: body.messages.unwrap_or(1),
            tokens: body.tokens.unwrap_or_default(),
            cost_micros: body.cost_micros.unwrap_or_default(),
        },
        lease_ms: body.lease_ms.unwrap_or(LEASE_MS),
    }))
}

fn some_id() -> ReservationId {
    let id = uuid::Uuid::now_v7().to_string();
    id.parse().expect("invariant: a UUID is short and visible ASCII")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseBody {
    id: ReservationId,
    participant: Option<ParticipantId>,
}

fn release(body: ReleaseBody, who: &Speaker) -> Result<Command, WireError> {
    Ok(Command::Release { participant: who.name(body.participant, "participant")?, id: body.id })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TurnBody {
    participant: ParticipantId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopUpBody {
    total: Option<AmountsBody>,
    per_participant: Option<AmountsBody>,
    participants: Option<BTreeMap<ParticipantId, AmountsBody>>,
    duration_ms: Option<u64>,
}

impl From<TopUpBody> for TopUp {
    fn from(body: TopUpBody) -> TopUp {
        let participants = body.participants.unwrap_or_default();
        TopUp {
            total: body.total.unwrap_or_default().into(),
            per_participant: body.per_participant.unwrap_or_default().into(),
            participants: participants.into_iter().map(|(who, by)| (who, by.into())).collect(),
            duration_ms: body.duration_ms.unwrap_or_default(),
        }
    }
}
