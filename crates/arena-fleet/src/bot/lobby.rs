//! How a bot shows itself in the lobby.

use super::around::Around;
use crate::channel::ChannelSpec;
use crate::identity::{BrainKind, Identity};
use crate::monitor::BotState;
use serde_json::{Value, json};

/// What a bot shows: that it is one, who it is, what it does, and whose it is.
pub(super) fn shown(around: &Around, me: &Identity, state: BotState) -> Value {
    json!({
        "bot": true,
        "name": me.name,
        "persona": me.persona,
        "brain": brain(around, me),
        "state": word(state),
        "fleet": *around.instance,
    })
}

/// What makes it speak at present: a model that is down, or missing, leaves a scripted bot.
pub(super) fn brain(around: &Around, me: &Identity) -> BrainKind {
    match me.brain {
        BrainKind::Llm => (around.brains)(me, &around.lobby).kind(),
        other => other,
    }
}

/// The state as others need to know it.
pub(super) fn word(state: BotState) -> &'static str {
    match state {
        BotState::Talking => "talking",
        BotState::Leaving => "leaving",
        _ => "idle",
    }
}

/// The bot's place in the lobby. It is there to be seen and looks at nobody.
pub(super) fn place(around: &Around, me: &Identity, state: BotState) -> ChannelSpec {
    ChannelSpec {
        topic: around.lobby.to_string(),
        private: false,
        token: (around.tokens)(me),
        presence_key: Some(me.id.clone()),
        presence: Some(shown(around, me, state)),
        watches_presence: false,
    }
}

/// A bot's place in a conversation.
pub(super) fn seat_in_talk(around: &Around, me: &Identity, topic: &str) -> ChannelSpec {
    ChannelSpec { topic: topic.to_owned(), watches_presence: true, ..place(around, me, BotState::Talking) }
}
