//! What stands in the log of a conversation. The JSON of an entry is what is stored and what is published.

use super::{
    AccountId, Amounts, ExhaustedBy, MessageId, ParticipantId, ReservationId, Setup, SetupChange, TopUp,
};
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Whose budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One participant's.
    Participant,
    /// The conversation's.
    Conversation,
    /// That of all conversations under the same root.
    Tree,
    /// That of all conversations of the same owner.
    Owner,
}

/// How near a budget is to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeLevel {
    /// 66 % are used.
    TwoThirds,
    /// 90 % are used.
    NineTenths,
    /// One message is left.
    LastMessage,
}

/// A warning that rides on the message that brought it about, and on the next one by somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Whose budget: a participant's or the conversation's.
    pub scope: Scope,
    /// Which participant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<ParticipantId>,
    /// Of what.
    pub resource: super::Resource,
    /// How near.
    pub level: NoticeLevel,
    /// Used, with what is held.
    pub used: u64,
    /// Of how much.
    pub limit: u64,
}

/// A message that was charged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// The id that its sender chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// Who said it.
    pub author: ParticipantId,
    /// What.
    pub text: String,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// Tokens that it took.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens: u64,
    /// Money that it took, in micro-units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cost_micros: u64,
    /// The reservation that it was paid from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<ReservationId>,
    /// Whose turn it is now, where turns are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<ParticipantId>,
    /// Warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

impl Message {
    /// What it was charged.
    pub fn cost(&self) -> Amounts {
        Amounts { messages: 1, tokens: self.tokens, cost_micros: self.cost_micros }
    }
}

/// A message of the system; not charged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SystemMessage {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// What.
    pub text: String,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
}

/// Somebody's budget is spent, or that of a conversation whose budgets refill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// A participant's, or the conversation's.
    pub scope: Scope,
    /// Which participant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<ParticipantId>,
    /// Of what.
    pub resource: super::Resource,
    /// When it refills, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Timestamp>,
}

/// What one participant has used by the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalCount {
    /// Who.
    pub participant: ParticipantId,
    /// What, over the whole conversation.
    pub used: Amounts,
}

/// The end, with final counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhausted {
    /// What ended it.
    pub reason: ExhaustedBy,
    /// What all have used together, over the whole conversation.
    pub used: Amounts,
    /// What each has used; those who said most if there are more than 100.
    pub participants: Vec<FinalCount>,
}

/// A part of the budgets that is held from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// Its id.
    pub id: ReservationId,
    /// For whom.
    pub participant: ParticipantId,
    /// How much.
    pub amounts: Amounts,
    /// When its lease ends.
    pub until_ms: Timestamp,
    /// The shared budgets that it is held in as well: those that were there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountId>,
}

/// A reservation that is over without having been spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Which.
    pub id: ReservationId,
    /// Whose.
    pub participant: ParticipantId,
    /// Whether its time was over.
    pub lapsed: bool,
}

/// The turn passed on without a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Whose it is now; `None`: anybody's.
    pub participant: Option<ParticipantId>,
    /// Who let it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<ParticipantId>,
}

/// A line of the log.
#[derive(Debug, Clone)]
pub enum Entry {
    /// `created`: the setup. Always the first.
    Created(Box<Setup>),
    /// `message`
    Message(Message),
    /// `system`
    System(SystemMessage),
    /// `participant_blocked` or `conversation_blocked`, by its scope.
    Blocked(Blocked),
    /// `exhausted`: exactly once for each end.
    Exhausted(Exhausted),
    /// `reopened`
    Reopened,
    /// `reserved`
    Reserved(Reserved),
    /// `released`
    Released(Released),
    /// `participant_added`
    Added(ParticipantId),
    /// `participant_removed`
    Removed(ParticipantId),
    /// `configured`: what was replaced.
    Configured {
        /// Who asked for it.
        actor: String,
        /// What.
        change: Box<SetupChange>,
    },
    /// `topped_up`
    ToppedUp {
        /// Who asked for it.
        actor: String,
        /// By how much.
        by: TopUp,
    },
    /// `turn`
    Turn(Turn),
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
