//! Bots.

use arena_control::{Imported, NewBot};
use arena_core::bot::{Bot, BotState, Profile};
use arena_core::channel::{ChannelKind, ChannelName, Region};
use arena_core::{BotId, Timestamp, WorldId};
use serde::{Deserialize, Serialize};

/// A bot and how far it is.
#[derive(Debug, Serialize)]
pub(crate) struct BotBody {
    id: BotId,
    name: String,
    persona: String,
    traits: Vec<String>,
    home_zone: Option<String>,
    region: Option<Region>,
    channel_kind: ChannelKind,
    channel: Option<ChannelName>,
    state: &'static str,
    reason: Option<String>,
    attempt: u32,
    retry_at_ms: Option<Timestamp>,
    world: Option<WorldId>,
    created_at_ms: Timestamp,
    changed_at_ms: Timestamp,
}

impl From<Bot> for BotBody {
    fn from(bot: Bot) -> Self {
        let (state, attempt) = (bot.state.as_str(), bot.state.attempts());
        let (reason, retry_at_ms) = match bot.state {
            BotState::Backoff { until, reason, .. } => (Some(reason), Some(until)),
            BotState::Failed { reason } => (Some(reason), None),
            BotState::Pending | BotState::Deploying | BotState::Live | BotState::Disabled => (None, None),
        };
        BotBody {
            id: bot.id,
            name: bot.profile.name,
            persona: bot.profile.persona,
            traits: bot.profile.traits,
            home_zone: bot.profile.home_zone,
            region: bot.profile.region,
            channel_kind: bot.profile.kind,
            channel: bot.channel,
            state,
            reason,
            attempt,
            retry_at_ms,
            world: bot.world,
            created_at_ms: bot.created_at,
            changed_at_ms: bot.changed_at,
        }
    }
}

/// A bot and, unless it is live, why not.
#[derive(Debug, Serialize)]
pub(crate) struct BotWithReason {
    #[serde(flatten)]
    bot: BotBody,
    why_not_live: Option<String>,
}

impl From<(Bot, Option<String>)> for BotWithReason {
    fn from((bot, why_not_live): (Bot, Option<String>)) -> Self {
        BotWithReason { bot: bot.into(), why_not_live }
    }
}

/// A bot to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateBot {
    name: String,
    persona: Option<String>,
    traits: Option<Vec<String>>,
    home_zone: Option<String>,
    region: Option<Region>,
    channel_kind: Option<ChannelKind>,
    channel: Option<ChannelName>,
}

impl From<CreateBot> for NewBot {
    fn from(bot: CreateBot) -> Self {
        let CreateBot { name, persona, traits, home_zone, region, channel_kind, channel } = bot;
        let (persona, traits) = (persona.unwrap_or_default(), traits.unwrap_or_default());
        let kind = channel_kind.unwrap_or(ChannelKind::Main);
        NewBot { profile: Profile { name, persona, traits, home_zone, region, kind }, channel }
    }
}

/// What an import did.
#[derive(Debug, Serialize)]
pub(crate) struct ImportedBody {
    created: u32,
    existing: u32,
    opened: Vec<ChannelName>,
}

impl From<Imported> for ImportedBody {
    fn from(imported: Imported) -> Self {
        let Imported { created, existing, opened, .. } = imported;
        ImportedBody { created, existing, opened }
    }
}

/// The state that a list of bots is filtered by.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StateName {
    Pending,
    Deploying,
    Live,
    Backoff,
    Failed,
    Disabled,
}

impl StateName {
    /// As [`BotState::as_str`] has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            StateName::Pending => "pending",
            StateName::Deploying => "deploying",
            StateName::Live => "live",
            StateName::Backoff => "backoff",
            StateName::Failed => "failed",
            StateName::Disabled => "disabled",
        }
    }
}
