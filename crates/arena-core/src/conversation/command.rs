//! What can be asked of a conversation.

use super::setup::{Delivery, Limits, LoopRules, Moderation, OnRefusal, Setup, Turns};
use super::{Amounts, MessageId, ParticipantId, ReservationId};
use crate::Metadata;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A message that somebody wants to say.
#[derive(Debug, Clone)]
pub struct Say {
    /// Who says it.
    pub author: ParticipantId,
    /// Its id, if the sender chose one.
    pub id: Option<MessageId>,
    /// What is said.
    pub text: String,
    /// Anything else, as one JSON value.
    pub data: Option<Box<RawValue>>,
    /// Tokens that it took.
    pub tokens: u64,
    /// Money that it took, in micro-units.
    pub cost_micros: u64,
    /// The reservation that it is paid from. One that has lapsed is as none.
    pub reservation: Option<ReservationId>,
}

impl Say {
    /// What it costs.
    pub fn cost(&self) -> Amounts {
        Amounts { messages: 1, tokens: self.tokens, cost_micros: self.cost_micros }
    }
}

/// A part of the budgets to be held for a message that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// For whom.
    pub participant: ParticipantId,
    /// Its id. A second one under the same id is a repeat while the first is held.
    pub id: ReservationId,
    /// How much, with the message itself.
    pub amounts: Amounts,
    /// For how long, in milliseconds, at most [`Reserve::MAX_LEASE_MS`].
    pub lease_ms: u64,
}

impl Reserve {
    /// The longest lease, in milliseconds: ten minutes.
    pub const MAX_LEASE_MS: u64 = 600_000;
}

/// More of everything; zeros add nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopUp {
    /// To the total.
    pub total: Amounts,
    /// To the share of each participant.
    pub per_participant: Amounts,
    /// To the share of these alone.
    pub participants: Vec<(ParticipantId, Amounts)>,
    /// To the duration, in milliseconds.
    pub duration_ms: u64,
}

/// Parts of the setup that are to be replaced; `None` leaves them as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetupChange {
    /// Budgets, as a whole. Counters stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Turns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<Turns>,
    /// Delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Refusals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_refusal: Option<OnRefusal>,
    /// The loop detector; `Some(None)` switches it off.
    #[serde(skip_serializing_if = "Option::is_none", with = "nested")]
    pub loops: Option<Option<LoopRules>>,
    /// The moderator; `Some(None)` asks none.
    #[serde(skip_serializing_if = "Option::is_none", with = "nested")]
    pub moderation: Option<Option<Moderation>>,
    /// Metadata, as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Setup {
    /// With these parts replaced.
    pub(super) fn changed(&self, change: &SetupChange) -> Setup {
        let change = change.clone();
        Setup {
            limits: change.limits.unwrap_or_else(|| self.limits.clone()),
            turns: change.turns.unwrap_or_else(|| self.turns.clone()),
            delivery: change.delivery.unwrap_or(self.delivery),
            on_refusal: change.on_refusal.unwrap_or(self.on_refusal),
            loops: change.loops.unwrap_or_else(|| self.loops.clone()),
            moderation: change.moderation.unwrap_or_else(|| self.moderation.clone()),
            metadata: change.metadata.unwrap_or_else(|| self.metadata.clone()),
            ..self.clone()
        }
    }
}

/// `null` that is given is not the same as nothing given.
mod nested {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }
}

/// What can be asked of a conversation.
#[derive(Debug, Clone)]
pub enum Command {
    /// A participant says something.
    Say(Say),
    /// The system says something: never charged, never refused but by a conversation that is exhausted or closed.
    SaySystem {
        /// Its id, if one was chosen.
        id: Option<MessageId>,
        /// What.
        text: String,
        /// Anything else.
        data: Option<Box<RawValue>>,
    },
    /// Holds a part of the budgets.
    Reserve(Reserve),
    /// Gives back what is held.
    Release {
        /// Whose; another's is not found.
        participant: ParticipantId,
        /// Which.
        id: ReservationId,
    },
    /// Adds somebody to the roster. Where there was none, there is one then: with everybody who has spoken.
    AddParticipant(ParticipantId),
    /// Takes somebody from the roster.
    RemoveParticipant(ParticipantId),
    /// Replaces parts of the setup.
    Configure(Box<SetupChange>),
    /// Raises budgets, and reopens what they had ended.
    TopUp(TopUp),
    /// Gives somebody the word.
    GiveTurn(ParticipantId),
    /// Ends it: by a moderator.
    Close,
    /// Ends it: it is over, of its own accord.
    End,
    /// Opens it again after [`Command::Close`] or [`Command::End`]; budgets stay as they are.
    Reopen,
    /// Does what is due: lapsed leases, turns that timed out, the end of time.
    Advance,
}
