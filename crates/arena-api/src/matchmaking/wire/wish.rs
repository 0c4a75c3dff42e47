//! What somebody wants to be matched for.

use crate::conversations::wire::{Speaker, WireError};
use crate::matchmaking::Act;
use arena_core::channel::Region;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Kind, Label, QueueName, TicketId, Wish};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A ticket to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnqueueBody {
    queue: QueueName,
    id: Option<TicketId>,
    pub(crate) user: Option<ParticipantId>,
    kind: Option<Kind>,
    name: Option<String>,
    party: Option<Vec<ParticipantId>>,
    region: Option<Region>,
    language: Option<Label>,
    interests: Option<Vec<Label>>,
    rating: Option<i32>,
    attributes: Option<BTreeMap<Label, Label>>,
    avoid: Option<Vec<ParticipantId>>,
    requeue: Option<bool>,
}

impl EnqueueBody {
    /// What is to be done for `user`, as `who` asks for it. Nobody but a service puts a party together: it knows that
    /// everybody in it wants to come along.
    pub(crate) fn act(self, user: ParticipantId, who: &Speaker) -> Result<Act, WireError> {
        let party = self.party.unwrap_or_default();
        if !party.is_empty() {
            who.must_be_service()?;
        }
        let wish = Wish {
            user,
            kind: if who.bot { Kind::Bot } else { self.kind.unwrap_or_default() },
            name: self.name,
            party,
            region: self.region,
            language: self.language,
            interests: self.interests.unwrap_or_default(),
            rating: self.rating,
            attributes: self.attributes.unwrap_or_default(),
            avoid: self.avoid.unwrap_or_default(),
            requeue: self.requeue.unwrap_or_default(),
        };
        Ok(Act::Enqueue { queue: self.queue, id: self.id, wish: Box::new(wish) })
    }
}
