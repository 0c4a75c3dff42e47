//! What a step did.

use crate::geometry::{Heading, Tile};
use crate::input::Emote;
use crate::map::ZoneId;
use crate::world::ConversationId;
use arena_core::BotId;
use serde::{Deserialize, Serialize};

/// One thing that happened in a tick, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A resident is in the world.
    Joined {
        /// Who.
        bot: BotId,
        /// Where it stands.
        at: Tile,
        /// In which zone.
        zone: Option<ZoneId>,
        /// Whether it has just come.
        arrival: Arrival,
    },
    /// A resident is gone.
    Left {
        /// Who.
        bot: BotId,
        /// Where it last was.
        at: Tile,
    },
    /// A resident began to walk, passed the middle of a tile, or stopped. Between two of these it moves at a
    /// constant speed, so a viewer who hears of starts, turns and stops can draw the rest.
    Moved {
        /// Who.
        bot: BotId,
        /// The tile whose middle it is at, or the one it comes from.
        at: Tile,
        /// Where it walks to, or stands.
        to: Tile,
        /// The way it looks.
        heading: Heading,
        /// Which part of a walk this is.
        kind: MoveKind,
    },
    /// A resident turned on the spot.
    Looked {
        /// Who.
        bot: BotId,
        /// The way it looks now.
        heading: Heading,
    },
    /// A walk crossed into a zone.
    EnteredZone {
        /// Who.
        bot: BotId,
        /// Which zone.
        zone: ZoneId,
    },
    /// A resident showed a feeling.
    Emoted {
        /// Who.
        bot: BotId,
        /// Which.
        emote: Emote,
    },
    /// Somebody was invited to talk and must answer in time.
    Invited {
        /// The conversation to be.
        conversation: ConversationId,
        /// Who invites.
        by: BotId,
        /// Who is invited.
        bot: BotId,
    },
    /// An invitation was taken: the two walk towards each other.
    Accepted {
        /// The conversation to be.
        conversation: ConversationId,
        /// Who was invited.
        bot: BotId,
    },
    /// Two residents stand together and talk. `a` invited and speaks first.
    Met {
        /// Who invited.
        a: BotId,
        /// Who was invited.
        b: BotId,
        /// Their conversation.
        conversation: ConversationId,
    },
    /// Somebody wants to say something, and waits for [`Input::MaySay`](crate::Input::MaySay) or
    /// [`Input::MayNotSay`](crate::Input::MayNotSay). Nobody has heard it yet. Each of these is followed by one
    /// [`Effect::Spoke`] or one [`Effect::Unsaid`].
    WantsToSay(Box<Wish>),
    /// What somebody wanted to say was not said.
    Unsaid {
        /// Who.
        bot: BotId,
        /// In which conversation; `None` is aloud.
        conversation: Option<ConversationId>,
        /// Its number there.
        line: u32,
        /// Why.
        reason: Unsaid,
    },
    /// Somebody said something.
    Spoke {
        /// Who.
        bot: BotId,
        /// In which conversation; `None` is aloud.
        conversation: Option<ConversationId>,
        /// The words.
        text: String,
    },
    /// A conversation, or an invitation, is over.
    ConversationEnded {
        /// Which.
        conversation: ConversationId,
        /// Who invited.
        a: BotId,
        /// Who was invited.
        b: BotId,
        /// Why.
        reason: EndReason,
        /// Messages that were said in it.
        messages: u8,
    },
    /// An input was not carried out and changed nothing.
    Refused {
        /// Its place in this step's inputs.
        input: usize,
        /// Whom it was about.
        bot: BotId,
        /// Why.
        reason: Refusal,
    },
}

/// Whether a join brought somebody new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The resident has just come.
    New,
    /// It was here before; nothing changed.
    AlreadyHere,
}

/// Which part of a walk a [`Effect::Moved`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveKind {
    /// The walk begins, or has a new goal.
    Started,
    /// A tile was passed, straight on.
    Passed,
    /// A tile was passed, and the way turns.
    Turned,
    /// The walk is over.
    Stopped,
}

/// A line that waits for leave. Its effect holds it in a box, because effects that are many are kept small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Who wants to say it.
    pub bot: BotId,
    /// In which conversation; `None` is aloud.
    pub conversation: Option<ConversationId>,
    /// Its number there, from 1; never used twice.
    pub line: u32,
    /// The words.
    pub text: String,
    /// The place in this step's inputs of the one that it comes from; `None` is the resident's own brain.
    pub input: Option<usize>,
}

/// Why a line was not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsaid {
    /// There was no budget left for it.
    BudgetSpent,
    /// Just this one could not be said.
    Unavailable,
    /// Whether it may be said did not become known in time.
    NoVerdict,
    /// The conversation was over, or the speaker gone, before that became known.
    Over,
}

/// Why a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The invitation was declined.
    Declined,
    /// The invited did not answer in time.
    NoAnswer,
    /// The two could not reach each other in time.
    CouldNotMeet,
    /// They had said what they had to say.
    Finished,
    /// The most messages were said.
    MessageLimit,
    /// It lasted as long as it may.
    TimeLimit,
    /// The one whose turn it was stayed silent.
    Silence,
    /// A participant walked out, or took the invitation back.
    WalkedOut,
    /// A participant left the world.
    LeftWorld,
    /// There was no budget left for another line.
    BudgetSpent,
}

/// Why an input was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The world holds as many residents as it may.
    #[error("the world is full ({limit} residents)")]
    WorldFull {
        /// The limit.
        limit: u32,
    },
    /// There is no such resident here.
    #[error("not a resident of this world")]
    NotHere,
    /// The other one is not a resident here.
    #[error("the other one is not a resident of this world")]
    PartnerNotHere,
    /// The name is empty, too long or holds control characters.
    #[error("a name has 1 to 64 characters and no control characters")]
    BadName,
    /// The tile is not on the map.
    #[error("the tile is outside the map")]
    OutsideMap,
    /// Nobody can stand on the tile.
    #[error("the tile is blocked")]
    Blocked,
    /// Neither the tile nor any near it is free to stand on.
    #[error("too many residents stand there")]
    Crowded,
    /// The text is empty.
    #[error("the text is empty")]
    EmptyText,
    /// The text is too long.
    #[error("the text is longer than {limit} characters")]
    TextTooLong {
        /// The limit, in characters.
        limit: u16,
    },
    /// That cannot be done in the middle of a conversation.
    #[error("in a conversation")]
    InConversation,
    /// The other one is in a conversation, or invited to one.
    #[error("the other one is in a conversation")]
    PartnerBusy,
    /// Nobody talks to themselves.
    #[error("a conversation takes two")]
    WithSelf,
    /// The resident is not part of that conversation.
    #[error("not part of that conversation")]
    NotInConversation,
    /// The resident has no such invitation to answer.
    #[error("no such invitation")]
    NotInvited,
    /// As many lines as may wait to be said wait already.
    #[error("too many lines wait to be said")]
    TooManyLines,
    /// No such line waits to be said, or no longer.
    #[error("no such line waits to be said")]
    NotWaiting,
}

impl Refusal {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::WorldFull { .. } => "world_full",
            Refusal::NotHere => "not_here",
            Refusal::PartnerNotHere => "partner_not_here",
            Refusal::BadName => "bad_name",
            Refusal::OutsideMap => "outside_map",
            Refusal::Blocked => "blocked",
            Refusal::Crowded => "crowded",
            Refusal::EmptyText => "empty_text",
            Refusal::TextTooLong { .. } => "text_too_long",
            Refusal::InConversation => "in_conversation",
            Refusal::PartnerBusy => "partner_busy",
            Refusal::WithSelf => "with_self",
            Refusal::NotInConversation => "not_in_conversation",
            Refusal::NotInvited => "not_invited",
            Refusal::TooManyLines => "too_many_lines",
            Refusal::NotWaiting => "not_waiting",
        }
    }
}
