//! Conversations that may not be open to all of their members any more.

use arena_bus::Message;
use arena_core::topic::TopicName;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Topics whose members are to be looked at again. Each is in it once, and is taken out within a moment, so it is no
/// longer than the rooms are many.
#[derive(Debug, Default)]
pub(crate) struct Attendance(Mutex<BTreeSet<TopicName>>);

impl Attendance {
    /// Notes a topic.
    pub(crate) fn note(&self, topic: &TopicName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(topic.clone());
    }

    /// Notes a topic if one of these messages changes who may be there. One that is created may have taken the place of
    /// another, whose members are here still.
    pub(super) fn note_changes(&self, topic: &TopicName, messages: &[std::sync::Arc<Message>]) {
        let changes = |event: &str| {
            matches!(event, "created" | "participant_added" | "participant_removed" | "deleted")
        };
        if messages.iter().any(|message| changes(&message.event)) {
            self.note(topic);
        }
    }

    /// All of them; they are looked at now.
    pub(crate) fn take(&self) -> BTreeSet<TopicName> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
