//! Where a member begins: what it has missed, and where the rest of the stream follows.
//!
//! All of it is decided while the stream is held still, and the member is taken in before it moves: what is given to it
//! here ends where the stream stands, and what it hears begins right after that.

use super::AdmitError;
use super::log::Log;
use crate::backstage::Look;
use crate::codec::{BroadcastConfig, JoinConfig};
use arena_bus::{Message, Position, Recovery, View};
use std::sync::Arc;

/// Messages that a join may ask to have replayed, at most; Supabase's limit is 25.
const MAX_REPLAY: usize = 100;

/// What is known of what is behind the topic.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// There is nothing but the stream.
    Stream,
    /// A world as it was a moment ago.
    World(&'a Look),
    /// A conversation's log as it was a moment ago.
    Log(&'a Log),
}

/// What follows the answer.
pub(super) struct Beginning<'a> {
    /// The messages that follow are those after this position.
    pub(super) position: Position,
    /// Whether the client got everything it had missed; `None` if it did not ask.
    pub(super) recovered: Option<bool>,
    pub(super) messages: Vec<Arc<Message>>,
    /// Whether they are older than the join.
    pub(super) replayed: bool,
    pub(super) snapshot: Option<&'a Look>,
}

impl<'a> Start<'a> {
    /// Whether it is a conversation whose roster names whoever joins.
    pub(super) fn names(self) -> bool {
        matches!(self, Start::Log(log) if log.names)
    }

    pub(super) fn beginning(self, config: &JoinConfig, view: &View<'_>) -> Result<Beginning<'a>, AdmitError> {
        if let Start::Log(log) = self
            && !log.is_told_by(view)
        {
            return Err(AdmitError::Stale);
        }
        let asked = config.recover.as_ref();
        if let Some(position) = asked
            && let Some(messages) = self.missed(position, view)?
        {
            let position = position.clone();
            return Ok(Beginning {
                position,
                recovered: Some(true),
                messages,
                replayed: true,
                snapshot: None,
            });
        }
        let recovered = asked.map(|_| false);
        match self {
            Start::World(look) => {
                let Recovery::Whole(messages) = view.recover(&look.position) else {
                    return Err(AdmitError::Stale);
                };
                let position = look.position.clone();
                Ok(Beginning { position, recovered, messages, replayed: false, snapshot: Some(look) })
            }
            Start::Log(_) | Start::Stream => {
                let messages = if asked.is_none() { replay(&config.broadcast, view) } else { Vec::new() };
                let position = view.position();
                Ok(Beginning { position, recovered, messages, replayed: true, snapshot: None })
            }
        }
    }

    /// What followed this position up to now; `None` if that cannot be said any more.
    fn missed(self, position: &Position, view: &View<'_>) -> Result<Option<Vec<Arc<Message>>>, AdmitError> {
        match (view.recover(position), self) {
            (Recovery::Whole(messages), _) => Ok(Some(messages)),
            (Recovery::Lost, Start::Log(log)) => log.missed(position, view),
            (Recovery::Lost, _) => Ok(None),
        }
    }
}

fn replay(config: &BroadcastConfig, view: &View<'_>) -> Vec<Arc<Message>> {
    let Some(replay) = config.replay else { return Vec::new() };
    view.since(replay.since_ms, replay.limit.unwrap_or(MAX_REPLAY).min(MAX_REPLAY))
}
