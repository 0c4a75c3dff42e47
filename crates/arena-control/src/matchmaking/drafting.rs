//! Drafts of matches: each with a conversation of its own.

use super::clock::after;
use crate::conversations::{Keys, newborn};
use arena_core::conversation::{ConversationId, ParticipantId, Setup, SetupError};
use arena_core::matching::{Formed, MatchId, QueueName, TicketId, Waiting};
use arena_core::{Metadata, Timestamp};
use arena_store::MatchDraft;
use serde_json::Value;

/// What the ids of conversations begin with that belong to matches. The rest is the id of the match.
const PREFIX: &str = "match-";

/// Whether a conversation may belong to a match.
pub(super) fn is_of_a_match(conversation: &ConversationId) -> bool {
    conversation.as_str().starts_with(PREFIX)
}

/// What drafts of a queue have in common.
pub(super) struct Pattern<'a> {
    pub(super) queue: &'a QueueName,
    pub(super) setup: &'a Setup,
    pub(super) confirm_ms: u64,
}

impl Pattern<'_> {
    /// A match of these tickets.
    pub(super) fn draft(
        &self,
        keys: &mut Keys,
        waiting: &[Waiting],
        formed: &Formed,
        now: Timestamp,
    ) -> Result<MatchDraft, SetupError> {
        let id = MatchId(uuid::Uuid::now_v7());
        let tickets = |team: &Vec<usize>| -> Vec<(TicketId, i64)> {
            team.iter().map(|place| (waiting[*place].id, waiting[*place].version)).collect()
        };
        let members = formed.teams.iter().flatten().flat_map(|place| waiting[*place].wish.users());
        let setup = self.setup(id, members.cloned().collect());
        let (conversation, log) = newborn(conversation_of(id), keys.next(now), setup, now)?;
        Ok(MatchDraft {
            id,
            teams: formed.teams.iter().map(tickets).collect(),
            quality: formed.quality,
            confirm_until: after(now, self.confirm_ms),
            conversation,
            log,
        })
    }

    /// The queue's setup with the match's members. It is under no other conversation.
    fn setup(&self, id: MatchId, participants: Vec<ParticipantId>) -> Setup {
        let mut notes = Value::from(self.setup.metadata.clone());
        notes["match"] = id.to_string().into();
        notes["queue"] = self.queue.as_str().into();
        // The rules leave room for these two.
        let metadata = Metadata::try_from(notes).unwrap_or_default();
        Setup { participants, metadata, parent: None, root: None, ..self.setup.clone() }
    }
}

fn conversation_of(id: MatchId) -> ConversationId {
    let text = format!("{PREFIX}{}", id.0.simple());
    text.parse().expect("invariant: letters, digits and a hyphen are an id")
}
