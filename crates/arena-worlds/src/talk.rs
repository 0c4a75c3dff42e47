//! Where residents' talk is charged and kept: a line is heard in a world only after somebody has said that it may be.

use arena_core::channel::ChannelName;
use arena_core::{BotId, WorldId};
use std::fmt;

/// Where residents' talk is charged and kept.
pub trait Talk: fmt::Debug + Send + Sync + 'static {
    /// Takes a line. Must not block: a world's tick waits for it. What becomes of the line comes back through `verdict`,
    /// at any later time, from any thread. Lines of one conversation are given in the order in which they were composed,
    /// and must be kept in that order.
    fn say(&self, line: Line, verdict: Verdict);

    /// A conversation of which lines were given has ended in the world, or with it. Must not block. A line that was
    /// given before and is kept only now is in the log, though nobody has heard it.
    fn ended(&self, world: &WorldId, conversation: u64);
}

/// Something that somebody in a world wants to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// In which world.
    pub world: WorldId,
    /// Of which channel.
    pub channel: ChannelName,
    /// The conversation's number within the world; never used twice there.
    pub conversation: u64,
    /// Who takes part, and their names: the two who talk, whoever invited first. Of what is said [aloud](Line::ALOUD),
    /// only the speaker.
    pub participants: Vec<(BotId, String)>,
    /// Who wants to say it.
    pub speaker: BotId,
    /// The words.
    pub text: String,
    /// Its number within the conversation, from 1; never used twice there, but some are missing.
    pub number: u32,
}

impl Line {
    /// The number of a world's conversation of all that is said aloud, to whoever stands by.
    pub const ALOUD: u64 = 0;
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is charged and kept: it may be heard.
    Said {
        /// Whether its conversation has no budget for another line: it ends with this one.
        last: bool,
    },
    /// There is no budget left for it: it is not heard, and its conversation ends.
    Refused {
        /// A stable name for programs, such as `total_limit`.
        code: &'static str,
    },
    /// Just this line is not heard; its conversation may go on.
    Dropped {
        /// A stable name for programs, such as `moderation_rejected`; [`Outcome::UNAVAILABLE`] where nothing is known.
        code: &'static str,
    },
}

impl Outcome {
    /// Nobody could be asked, or nobody answered.
    pub const UNAVAILABLE: Outcome = Outcome::Dropped { code: "unavailable" };
}

/// Takes what became of a line, once. One that is dropped without it says [`Outcome::UNAVAILABLE`].
pub struct Verdict(Option<Box<dyn FnOnce(Outcome) + Send + Sync>>);

impl Verdict {
    /// One that tells whoever waits for it. `tell` must not block.
    pub fn new(tell: impl FnOnce(Outcome) + Send + Sync + 'static) -> Verdict {
        Verdict(Some(Box::new(tell)))
    }

    /// Says what became of the line. It does not block, and it does not matter whether the world is still there.
    pub fn send(mut self, outcome: Outcome) {
        self.tell(outcome);
    }

    fn tell(&mut self, outcome: Outcome) {
        if let Some(tell) = self.0.take() {
            tell(outcome);
        }
    }
}

impl Drop for Verdict {
    fn drop(&mut self) {
        self.tell(Outcome::UNAVAILABLE);
    }
}

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verdict")
    }
}
