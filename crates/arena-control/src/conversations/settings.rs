//! Numbers that conversations run by.

use std::time::Duration;

/// How conversations behave. All of them bound memory or time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSettings {
    /// What may wait for its transaction; one more is refused.
    pub max_queue: usize,
    /// Conversations in memory; beyond it, those go that were idle for longest. They come back from the store.
    pub max_active: usize,
    /// How long an idle one stays in memory.
    pub idle: Duration,
    /// How long those that are at their end are kept in the store; `None` keeps them.
    pub retention: Option<Duration>,
    /// The hosts that moderators may be on.
    pub moderation_hosts: Vec<String>,
    /// Messages that may wait for their moderators at once; one more is treated as if the moderator did not answer.
    pub max_moderated: usize,
}

impl Default for ConversationSettings {
    fn default() -> Self {
        ConversationSettings {
            max_queue: 10_000,
            max_active: 50_000,
            idle: Duration::from_secs(60),
            retention: Some(Duration::from_secs(30 * 86_400)),
            moderation_hosts: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
            max_moderated: 256,
        }
    }
}
