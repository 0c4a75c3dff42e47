//! Two residents who talk, or are about to.

use super::asking::WaitingLine;
use super::{Slot, Tick};
use crate::talk::{MEMORY, Thread};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A conversation's number within its world; never used twice there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationId(pub u64);

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Conversation {
    pub(super) id: ConversationId,
    /// Who invited, who was invited.
    pub(super) members: [Slot; 2],
    pub(super) phase: Phase,
    /// When something is due.
    pub(super) wake: Tick,
    /// When the present phase ends whatever happens.
    pub(super) deadline: Tick,
    pub(super) messages: u8,
    /// After how many messages a wanderer takes its leave.
    pub(super) planned: u8,
    /// Whose turn it is: a place in `members`.
    pub(super) turn: u8,
    pub(super) thread: Thread,
    pub(super) said: [u16; MEMORY],
    /// Lines that wait for leave, oldest first; see [`super::asking`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) waiting: Vec<WaitingLine>,
    /// How many lines leave was asked for so far.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) asked: u32,
    /// How many in a row of them could not be said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) dropped: u8,
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How far a conversation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The invited has not answered yet.
    Invited,
    /// The two walk towards each other.
    Approaching,
    /// They stand together and talk.
    Talking,
}

impl Conversation {
    pub(super) fn starter(&self) -> Slot {
        self.members[0]
    }

    pub(super) fn invited(&self) -> Slot {
        self.members[1]
    }

    pub(super) fn speaker(&self) -> Slot {
        self.members[usize::from(self.turn)]
    }

    /// That member's place in `members`.
    pub(super) fn place(&self, slot: Slot) -> u8 {
        u8::from(self.members[1] == slot)
    }

    pub(super) fn other(&self, slot: Slot) -> Slot {
        if self.members[0] == slot { self.members[1] } else { self.members[0] }
    }
}
