//! Who a bot is.

use serde::{Deserialize, Serialize};

/// What makes a bot speak and move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BrainKind {
    /// Lines and rules from a persona's file.
    #[default]
    Scripted,
    /// Walks about in a world.
    Wanderer,
    /// A language model behind a chat endpoint; scripted where that is down or unpaid.
    Llm,
}

/// A bot of the roster. It is the same bot at every start: its id is what the endpoint knows it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The key of its presence, the subject of its token, the author of what it says: `bot-ada`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The name of its persona, which says how it talks.
    pub persona: String,
    /// What makes it speak.
    pub brain: BrainKind,
    /// The channel in whose world it lives, for those that live in one.
    pub world: Option<String>,
}
