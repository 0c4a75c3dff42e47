//! The newest messages of a stream.

use crate::message::Message;
use crate::settings::Keep;
use std::collections::VecDeque;
use std::sync::Arc;

/// Bounded by messages and by bytes; the oldest go first.
#[derive(Debug, Default)]
pub(crate) struct History {
    messages: VecDeque<Arc<Message>>,
    bytes: usize,
}

impl History {
    pub(crate) fn push(&mut self, message: Arc<Message>, keep: Keep) {
        self.bytes += message.payload.len();
        self.messages.push_back(message);
        while self.messages.len() > keep.messages || (self.bytes > keep.bytes && self.messages.len() > 1) {
            let Some(oldest) = self.messages.pop_front() else { return };
            self.bytes -= oldest.payload.len();
        }
    }

    /// What followed `offset`, oldest first; `None` if some of it is gone. `newest` is the stream's last offset.
    pub(crate) fn after(&self, offset: u64, newest: u64) -> Option<Vec<Arc<Message>>> {
        let missed = usize::try_from(newest.checked_sub(offset)?).ok()?;
        let skip = self.messages.len().checked_sub(missed)?;
        Some(self.messages.iter().skip(skip).cloned().collect())
    }

    /// The message of this author under this id.
    pub(crate) fn find(&self, author: Option<&str>, id: &str) -> Option<&Arc<Message>> {
        let same = |m: &&Arc<Message>| m.given_id.as_deref() == Some(id) && m.author.as_deref() == author;
        self.messages.iter().rev().find(same)
    }

    /// Messages that were published at `since_ms` or later, at most the newest `limit`, oldest first.
    pub(crate) fn since(&self, since_ms: u64, limit: usize) -> Vec<Arc<Message>> {
        let first = self.messages.partition_point(|m| m.at_ms < since_ms);
        let skip = first.max(self.messages.len().saturating_sub(limit));
        self.messages.iter().skip(skip).cloned().collect()
    }

    pub(crate) fn last(&self) -> Option<&Arc<Message>> {
        self.messages.back()
    }

    pub(crate) fn clear(&mut self) {
        *self = History::default();
    }
}
