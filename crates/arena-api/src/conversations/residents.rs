//! Conversations that are residents' talk: those of a world, by its id and a number.

use arena_core::conversation::{ConversationId, Setup};
use arena_realtime::policy::is_residents;
use serde_json::Value;

/// The channel whose world a conversation is the talk of. Whoever may watch that world may read it.
pub(crate) fn channel_of(id: &ConversationId, setup: &Setup) -> Option<String> {
    if !is_residents(id.as_str()) {
        return None;
    }
    let notes = Value::from(setup.metadata.clone());
    notes.get("channel").and_then(Value::as_str).map(str::to_owned)
}
