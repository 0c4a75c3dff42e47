//! What all bots of a fleet share.

use super::seat::Seats;
use crate::brain::Brain;
use crate::channel::{Channel, ChannelSpec};
use crate::identity::Identity;
use crate::monitor::Monitor;
use crate::token::TokenSource;
use arena_core::RetryPolicy;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Opens a channel for a bot, given by its id: the pool does. In tests somebody else holds the other end.
pub type Open = Arc<dyn Fn(&str, ChannelSpec) -> Channel + Send + Sync>;

/// The brain of a bot for a place, given by its topic.
pub type BrainFor = Arc<dyn Fn(&Identity, &str) -> Box<dyn Brain> + Send + Sync>;

/// In whose name a bot joins: its own, where tokens can be minted, or the fleet's.
pub type TokenFor = Arc<dyn Fn(&Identity) -> TokenSource + Send + Sync>;

/// How patient a bot is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BotSettings {
    /// How long a brain may think about one thing; then the thought is dropped.
    pub thought: Duration,
    /// Thoughts in a row that may be dropped so, until the bot gives up.
    pub dropped_thoughts: u32,
    /// How long it waits to be let into a conversation.
    pub entry: Duration,
    /// The silence after which the brain is told of it; then twice that, and so on.
    pub quiet: Duration,
    /// The silence after which the bot leaves.
    pub silence: Duration,
    /// How long it waits in a conversation in which nobody was ever seen or heard.
    pub nobody: Duration,
    /// How long it stays with a partner who left, in case they come back.
    pub alone: Duration,
    /// The longest that it types.
    pub typing: Duration,
    /// Whether it answers bots that do not name it.
    pub answers_bots: bool,
    /// After what time without news a wanderer has another thought.
    pub idle: Duration,
    /// Delays between attempts to get a seat; after the last one it is asked for as rarely as after `lobby_retry`.
    pub seat_retry: RetryPolicy,
    /// After what time a lobby, or a world, that refused it is tried again; chance adds up to half of it.
    pub lobby_retry: Duration,
}

impl Default for BotSettings {
    fn default() -> Self {
        BotSettings {
            thought: Duration::from_secs(60),
            dropped_thoughts: 3,
            entry: Duration::from_secs(30),
            quiet: Duration::from_secs(45),
            silence: Duration::from_secs(300),
            nobody: Duration::from_secs(60),
            alone: Duration::from_secs(15),
            typing: Duration::from_secs(30),
            answers_bots: false,
            idle: Duration::from_secs(2),
            seat_retry: RetryPolicy::default(),
            lobby_retry: Duration::from_secs(600),
        }
    }
}

/// What all bots of a fleet share.
#[derive(Clone)]
pub struct Around {
    /// Opens channels.
    pub open: Open,
    /// Gives brains.
    pub brains: BrainFor,
    /// Gives tokens.
    pub tokens: TokenFor,
    /// Gives seats in worlds; without it nobody lives in one.
    pub seats: Option<Arc<dyn Seats>>,
    /// Is told how each bot is.
    pub monitor: Monitor,
    /// This run of the fleet.
    pub instance: Arc<str>,
    /// The lobby's topic.
    pub lobby: Arc<str>,
    /// Queues of the matchmaker in which idle bots wait, each in one of them; empty: none does.
    pub queues: Vec<String>,
    /// How patient bots are.
    pub settings: BotSettings,
}

// Most of it are closures.
impl fmt::Debug for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around")
            .field("instance", &self.instance)
            .field("lobby", &self.lobby)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
