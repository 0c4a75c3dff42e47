//! What a player can have its body do.

use arena_core::BotId;
use arena_core::fault::HostFault;
use arena_sim::{ConversationId, Emote, Heading, Input, Refusal, Tile};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// One thing that a body does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Walks to a tile, or next to it if somebody stands there.
    Move {
        /// Tiles from the left and from the top.
        to: (u16, u16),
    },
    /// Turns without walking.
    Look {
        /// Where to.
        heading: Heading,
    },
    /// Speaks, in the conversation that the body is in, or aloud.
    Say {
        /// What is said.
        text: String,
    },
    /// Shows a feeling for a moment.
    Emote {
        /// Which one.
        emote: Emote,
    },
    /// Invites another resident to talk.
    Invite {
        /// Whom.
        with: BotId,
    },
    /// Takes an invitation.
    Accept {
        /// To which conversation.
        conversation: u64,
    },
    /// Declines an invitation.
    Decline {
        /// To which conversation.
        conversation: u64,
    },
    /// Walks out of a conversation, or takes an invitation back.
    LeaveConversation {
        /// Out of which conversation.
        conversation: u64,
    },
}

/// Why something was not done. Nothing was changed by it, unless the host did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// It makes no sense, or cannot be done now.
    #[error("{detail}")]
    Refused {
        /// Stable code, such as `blocked`.
        code: &'static str,
        /// What is wrong, for people.
        detail: String,
    },
    /// The host did not do its part.
    #[error(transparent)]
    Host(#[from] HostFault),
}

impl ActError {
    /// A stable name for programs: the code of a refusal, `world_gone`, `not_here`, or `unavailable` where nothing
    /// is known and trying again may help.
    pub fn code(&self) -> &'static str {
        match self {
            ActError::Refused { code, .. } | ActError::Host(HostFault::Refused { code, .. }) => code,
            ActError::Host(HostFault::WorldGone) => "world_gone",
            ActError::Host(HostFault::BotGone) => "not_here",
            ActError::Host(HostFault::Transient { .. }) => "unavailable",
        }
    }

    fn bad(detail: impl Into<String>) -> ActError {
        ActError::Refused { code: "bad_input", detail: detail.into() }
    }
}

impl From<&Refusal> for ActError {
    fn from(refusal: &Refusal) -> ActError {
        ActError::Refused { code: refusal.code(), detail: refusal.to_string() }
    }
}

#[derive(Deserialize)]
struct MovePayload {
    x: i64,
    y: i64,
}

#[derive(Deserialize)]
struct LookPayload {
    heading: u16,
}

#[derive(Deserialize)]
struct SayPayload {
    text: String,
}

#[derive(Deserialize)]
struct EmotePayload {
    emote: Emote,
}

#[derive(Deserialize)]
struct InvitePayload {
    with: BotId,
}

#[derive(Deserialize)]
struct ConversationPayload {
    conversation: u64,
}

impl Act {
    /// Reads an input as it comes from a client: its name, and its payload as JSON text. Fields that are not known are
    /// ignored.
    ///
    /// # Errors
    /// `unknown_input` if there is no input of that name, `bad_input` if the payload is not what it needs,
    /// `outside_map` for a tile that no map has.
    pub fn parse(event: &str, payload: &str) -> Result<Act, ActError> {
        Ok(match event {
            "move" => {
                let MovePayload { x, y } = read(payload)?;
                let to = (u16::try_from(x).ok()).zip(u16::try_from(y).ok());
                Act::Move { to: to.ok_or_else(|| ActError::from(&Refusal::OutsideMap))? }
            }
            "look" => {
                let LookPayload { heading: degrees } = read(payload)?;
                let heading = Heading::from_degrees(degrees);
                Act::Look { heading: heading.ok_or_else(|| ActError::bad("heading is 0, 45, … or 315"))? }
            }
            "say" => Act::Say { text: read::<SayPayload>(payload)?.text },
            "emote" => Act::Emote { emote: read::<EmotePayload>(payload)?.emote },
            "invite" => Act::Invite { with: read::<InvitePayload>(payload)?.with },
            "accept" => Act::Accept { conversation: read::<ConversationPayload>(payload)?.conversation },
            "decline" => Act::Decline { conversation: read::<ConversationPayload>(payload)?.conversation },
            "leave_conversation" => {
                Act::LeaveConversation { conversation: read::<ConversationPayload>(payload)?.conversation }
            }
            _ => return Err(unknown(event)),
        })
    }

    /// The same for the simulation.
    pub(crate) fn into_input(self, bot: BotId) -> Input {
        match self {
            Act::Move { to: (x, y) } => Input::MoveTo { bot, to: Tile { x, y } },
            Act::Look { heading } => Input::Look { bot, heading },
            Act::Say { text } => Input::Say { bot, text },
            Act::Emote { emote } => Input::Emote { bot, emote },
            Act::Invite { with } => Input::StartConversation { bot, with },
            Act::Accept { conversation } => {
                Input::AcceptConversation { bot, conversation: ConversationId(conversation) }
            }
            Act::Decline { conversation } => {
                Input::RejectConversation { bot, conversation: ConversationId(conversation) }
            }
            Act::LeaveConversation { conversation } => {
                Input::LeaveConversation { bot, conversation: ConversationId(conversation) }
            }
        }
    }
}

fn read<T: DeserializeOwned>(payload: &str) -> Result<T, ActError> {
    serde_json::from_str(payload).map_err(|error| ActError::bad(error.to_string()))
}

fn unknown(event: &str) -> ActError {
    const KNOWN: &str = "move, look, say, emote, invite, accept, decline and leave_conversation";
    let event: String = event.chars().take(40).collect();
    ActError::Refused {
        code: "unknown_input",
        detail: format!("`{event}` is not an input: there are {KNOWN}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_input_is_read() {
        let with = BotId(Uuid::from_u128(7));
        for (event, payload, act) in [
            ("move", r#"{"x": 3, "y": 4, "speed": 9}"#, Act::Move { to: (3, 4) }),
            ("look", r#"{"heading": 270}"#, Act::Look { heading: Heading::West }),
            ("say", r#"{"text": "\u00fc\n"}"#, Act::Say { text: "ü\n".to_owned() }),
            ("emote", r#"{"emote": "wave"}"#, Act::Emote { emote: Emote::Wave }),
            ("invite", r#"{"with": "00000000-0000-0000-0000-000000000007"}"#, Act::Invite { with }),
            ("accept", r#"{"conversation": 5}"#, Act::Accept { conversation: 5 }),
            ("decline", r#"{"conversation": 5}"#, Act::Decline { conversation: 5 }),
            ("leave_conversation", r#"{"conversation": 5}"#, Act::LeaveConversation { conversation: 5 }),
        ] {
            assert_eq!(Act::parse(event, payload), Ok(act), "{event}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_code() {
        for (event, payload, code) in [
            ("fly", "{}", "unknown_input"),
            ("Move", r#"{"x": 3, "y": 4}"#, "unknown_input"),
            ("move", "", "bad_input"),
            ("move", "null", "bad_input"),
            ("move", r#"{"x": 3}"#, "bad_input"),
            ("move", r#"{"x": 3.5, "y": 4}"#, "bad_input"),
            ("move", r#"{"x": -1, "y": 4}"#, "outside_map"),
            ("move", r#"{"x": 3, "y": 65536}"#, "outside_map"),
            ("look", r#"{"heading": 44}"#, "bad_input"),
            ("look", r#"{"heading": 360}"#, "bad_input"),
            ("say", r#"{"text": 7}"#, "bad_input"),
            ("emote", r#"{"emote": "Wave"}"#, "bad_input"),
            ("invite", r#"{"with": "Ada"}"#, "bad_input"),
            ("accept", r#"{"conversation": -1}"#, "bad_input"),
        ] {
            let error = Act::parse(event, payload).unwrap_err();
            assert_eq!(error.code(), code, "{event} {payload}: {error}");
        }
    }
}
