//! What a host asks of a world.

use crate::brain::BrainKind;
use crate::effect::Unsaid;
use crate::geometry::{Heading, Tile};
use crate::world::ConversationId;
use arena_core::BotId;
use serde::{Deserialize, Serialize};

/// Longest name of a resident, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// One wish about one resident. Each is answered within the same step: by its effects or by
/// [`Effect::Refused`](crate::Effect::Refused).
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Puts a resident into the world. Doing it again changes nothing.
    Join {
        /// Who joins.
        bot: BotId,
        /// Shown to the others, 1–64 characters.
        name: String,
        /// What steers the resident.
        brain: BrainKind,
        /// Where it stood before; the nearest free tile is used. Without it, somewhere in the home zone.
        position: Option<Tile>,
    },
    /// Takes a resident out.
    Leave {
        /// Who leaves.
        bot: BotId,
    },
    /// Walks to a tile, or next to it if somebody stands there.
    MoveTo {
        /// Who walks.
        bot: BotId,
        /// Where to.
        to: Tile,
    },
    /// Turns without walking.
    Look {
        /// Who turns.
        bot: BotId,
        /// Where to.
        heading: Heading,
    },
    /// Speaks, in the conversation that the resident is in, or aloud.
    Say {
        /// Who speaks.
        bot: BotId,
        /// What is said.
        text: String,
    },
    /// Invites another resident to talk.
    StartConversation {
        /// Who invites.
        bot: BotId,
        /// Who is invited.
        with: BotId,
    },
    /// Takes an invitation.
    AcceptConversation {
        /// Who was invited.
        bot: BotId,
        /// To which conversation.
        conversation: ConversationId,
    },
    /// Declines an invitation.
    RejectConversation {
        /// Who was invited.
        bot: BotId,
        /// To which conversation.
        conversation: ConversationId,
    },
    /// Walks out of a conversation, or takes an invitation back.
    LeaveConversation {
        /// Who goes.
        bot: BotId,
        /// Out of which conversation.
        conversation: ConversationId,
    },
    /// Shows a feeling for a moment.
    Emote {
        /// Who shows it.
        bot: BotId,
        /// Which one.
        emote: Emote,
    },
    /// Has a line said that an [`Effect::WantsToSay`](crate::Effect::WantsToSay) asked for.
    MaySay {
        /// Who wants to say it.
        bot: BotId,
        /// In which conversation; `None` is aloud.
        conversation: Option<ConversationId>,
        /// Its number there.
        line: u32,
        /// Whether there is no budget for another: the conversation ends with this line.
        last: bool,
    },
    /// Has a line dropped that an [`Effect::WantsToSay`](crate::Effect::WantsToSay) asked for.
    MayNotSay {
        /// Who wants to say it.
        bot: BotId,
        /// In which conversation; `None` is aloud.
        conversation: Option<ConversationId>,
        /// Its number there.
        line: u32,
        /// Why.
        reason: NoLeave,
    },
}

/// Why a line may not be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLeave {
    /// There is no budget left for it: its conversation ends.
    BudgetSpent,
    /// Just this one cannot be said: its conversation goes on, unless that happens several times in a row.
    Unavailable,
}

impl From<NoLeave> for Unsaid {
    fn from(reason: NoLeave) -> Unsaid {
        match reason {
            NoLeave::BudgetSpent => Unsaid::BudgetSpent,
            NoLeave::Unavailable => Unsaid::Unavailable,
        }
    }
}

impl Input {
    /// The resident that the input is about.
    pub fn bot(&self) -> BotId {
        match self {
            Input::Join { bot, .. }
            | Input::Leave { bot }
            | Input::MoveTo { bot, .. }
            | Input::Look { bot, .. }
            | Input::Say { bot, .. }
            | Input::StartConversation { bot, .. }
            | Input::AcceptConversation { bot, .. }
            | Input::RejectConversation { bot, .. }
            | Input::LeaveConversation { bot, .. }
            | Input::Emote { bot, .. }
            | Input::MaySay { bot, .. }
            | Input::MayNotSay { bot, .. } => *bot,
        }
    }
}

/// A feeling that others can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Emote {
    /// Greets.
    Wave,
    /// Laughs.
    Laugh,
    /// Dances.
    Dance,
    /// Ponders.
    Think,
    /// Does not know.
    Shrug,
    /// Is glad.
    Cheer,
}

impl Emote {
    /// Every emote.
    pub const ALL: [Emote; 6] =
        [Emote::Wave, Emote::Laugh, Emote::Dance, Emote::Think, Emote::Shrug, Emote::Cheer];
}
