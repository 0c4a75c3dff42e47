//! The activity log.

use arena_control::Activity;
use arena_core::channel::ChannelName;
use arena_core::{BotId, Timestamp};
use serde::Serialize;
use serde_json::Value;

/// Who did what, and when.
#[derive(Debug, Serialize)]
pub(crate) struct ActivityBody {
    id: String,
    at_ms: Timestamp,
    actor: String,
    action: String,
    bot: Option<BotId>,
    channel: Option<ChannelName>,
    detail: Value,
}

impl From<Activity> for ActivityBody {
    fn from(activity: Activity) -> Self {
        let Activity { id, at, actor, action, bot, channel, detail } = activity;
        ActivityBody { id, at_ms: at, actor, action, bot, channel, detail }
    }
}
