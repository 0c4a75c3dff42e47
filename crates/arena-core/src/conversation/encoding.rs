//! Entries as JSON: the one form in which they are stored, published and read again.

use super::entry::{Blocked, Entry, Scope};
use super::{MessageId, ParticipantId, SetupChange, TopUp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Why a line of a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// No entry has this name.
    #[error("no entry is called `{0}`")]
    Unknown(String),
    /// Its body is not what its name says.
    #[error("the body of this `{event}` cannot be read")]
    Body {
        /// Its name.
        event: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// The body of `participant_added` and `participant_removed`.
#[derive(Serialize, Deserialize)]
struct One<P> {
    participant: P,
}

/// The body of `configured`.
#[derive(Serialize, Deserialize)]
struct Configured<A, C> {
    actor: A,
    change: C,
}

/// The body of `topped_up`.
#[derive(Serialize, Deserialize)]
struct ToppedUp<A, B> {
    actor: A,
    by: B,
}

impl Entry {
    /// Its name in the log and on the topic.
    pub fn event(&self) -> &'static str {
        match self {
            Entry::Created(_) => "created",
            Entry::Message(_) => "message",
            Entry::System(_) => "system",
            Entry::Blocked(Blocked { scope: Scope::Participant, .. }) => "participant_blocked",
            Entry::Blocked(_) => "conversation_blocked",
            Entry::Exhausted(_) => "exhausted",
            Entry::Reopened => "reopened",
            Entry::Reserved(_) => "reserved",
            Entry::Released(_) => "released",
            Entry::Added(_) => "participant_added",
            Entry::Removed(_) => "participant_removed",
            Entry::Configured { .. } => "configured",
            Entry::ToppedUp { .. } => "topped_up",
            Entry::Turn(_) => "turn",
        }
    }

    /// Its JSON, as it is stored and published.
    pub fn body(&self) -> String {
        match self {
            Entry::Created(setup) => json(setup),
            Entry::Message(message) => json(message),
            Entry::System(message) => json(message),
            Entry::Blocked(blocked) => json(blocked),
            Entry::Exhausted(exhausted) => json(exhausted),
            Entry::Reopened => "{}".to_owned(),
            Entry::Reserved(reserved) => json(reserved),
            Entry::Released(released) => json(released),
            Entry::Added(participant) | Entry::Removed(participant) => json(&One { participant }),
            Entry::Configured { actor, change } => json(&Configured { actor, change }),
            Entry::ToppedUp { actor, by } => json(&ToppedUp { actor, by }),
            Entry::Turn(turn) => json(turn),
        }
    }

    /// Reads what [`Entry::event`] and [`Entry::body`] gave.
    pub fn read(event: &str, body: &str) -> Result<Entry, EntryError> {
        Ok(match event {
            "created" => Entry::Created(parse("created", body)?),
            "message" => Entry::Message(parse("message", body)?),
            "system" => Entry::System(parse("system", body)?),
            "participant_blocked" => Entry::Blocked(parse("participant_blocked", body)?),
            "conversation_blocked" => Entry::Blocked(parse("conversation_blocked", body)?),
            "exhausted" => Entry::Exhausted(parse("exhausted", body)?),
            "reopened" => Entry::Reopened,
            "reserved" => Entry::Reserved(parse("reserved", body)?),
            "released" => Entry::Released(parse("released", body)?),
            "participant_added" => Entry::Added(participant("participant_added", body)?),
            "participant_removed" => Entry::Removed(participant("participant_removed", body)?),
            "configured" => {
                let read: Configured<String, Box<SetupChange>> = parse("configured", body)?;
                Entry::Configured { actor: read.actor, change: read.change }
            }
            "topped_up" => {
                let read: ToppedUp<String, TopUp> = parse("topped_up", body)?;
                Entry::ToppedUp { actor: read.actor, by: read.by }
            }
            "turn" => Entry::Turn(parse("turn", body)?),
            unknown => return Err(EntryError::Unknown(unknown.chars().take(80).collect())),
        })
    }

    /// The id that a message was given by its sender.
    pub fn message_id(&self) -> Option<&MessageId> {
        match self {
            Entry::Message(message) => message.id.as_ref(),
            Entry::System(message) => message.id.as_ref(),
            _ => None,
        }
    }

    /// Who said it, where it is a message of a participant.
    pub fn author(&self) -> Option<&ParticipantId> {
        match self {
            Entry::Message(message) => Some(&message.author),
            _ => None,
        }
    }
}

fn json<T: Serialize>(body: &T) -> String {
    serde_json::to_string(body).expect("invariant: entries hold nothing that JSON cannot say")
}

fn parse<T: DeserializeOwned>(event: &'static str, body: &str) -> Result<T, EntryError> {
    serde_json::from_str(body).map_err(|source| EntryError::Body { event, source })
}

fn participant(event: &'static str, body: &str) -> Result<ParticipantId, EntryError> {
    parse::<One<ParticipantId>>(event, body).map(|one| one.participant)
}
