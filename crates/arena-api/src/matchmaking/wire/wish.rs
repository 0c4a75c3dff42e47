//! What somebody wants to be matched for.

use crate::conversations::wire::{Speaker, WireError};
use arena_core::channel::Region;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Kind, Label, QueueName, TicketId, Wish};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A ticket to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnqueueBody {
    pub(crate) queue: QueueName,
    pub(crate) id: Option<TicketId>,
    user: Option<ParticipantId>,
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
    /// Queue, chosen id and wish of a ticket that `who` asks for. Users ask for themselves only: a party is put together
    /// by a service, which knows that everybody in it wants to come along.
    pub(crate) fn wish(self, who: &Speaker) -> Result<(QueueName, Option<TicketId>, Wish), WireError> {
        let party = self.party.unwrap_or_default();
        if !party.is_empty() {
            who.must_be_service()?;
        }
        let wish = Wish {
            user: who.name(self.user, "user")?,
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
        Ok((self.queue, self.id, wish))
    }
}
