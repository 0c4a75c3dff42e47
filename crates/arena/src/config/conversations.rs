//! Conversations.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Conversations: what they may take, and how long they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConversationsConfig {
    /// Messages and commands that may wait at once; more are refused as overload.
    pub max_queue: usize,
    /// Conversations in memory at most; the others are read from the database when they are spoken in.
    pub max_active: usize,
    /// How long a conversation stays in memory in which nothing happens.
    pub idle_secs: u64,
    /// Longest text of a message, and its longest data.
    pub max_text_bytes: usize,
    /// Logs that are followed over HTTP at once; more are refused as overload.
    pub max_streams: usize,
    /// How long a conversation is kept that is at its end; 0 keeps it for ever.
    pub retention_days: u32,
    /// Hosts that moderators may be on.
    pub moderation_hosts: Vec<String>,
}

impl Default for ConversationsConfig {
    fn default() -> Self {
        ConversationsConfig {
            max_queue: 10_000,
            max_active: 50_000,
            idle_secs: 60,
            max_text_bytes: 16_384,
            max_streams: 1_000,
            retention_days: 30,
            moderation_hosts: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
        }
    }
}

impl ConversationsConfig {
    /// How long a conversation stays in memory in which nothing happens.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_secs)
    }

    /// How long a conversation is kept that is at its end; `None`: for ever.
    pub fn retention(&self) -> Option<Duration> {
        (self.retention_days > 0).then(|| Duration::from_secs(u64::from(self.retention_days) * 86_400))
    }
}

/// What becomes of what residents say to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Talk {
    /// It is a conversation, with a log and budgets.
    #[default]
    Stored,
    /// It is heard, and gone.
    Unstored,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_of_0_days_is_for_ever() {
        let kept = |retention_days| ConversationsConfig { retention_days, ..Default::default() }.retention();
        assert_eq!((kept(0), kept(2)), (None, Some(Duration::from_secs(172_800))));
    }
}
