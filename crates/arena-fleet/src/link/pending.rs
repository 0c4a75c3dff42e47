//! What is not answered yet.

use super::Answer;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What kind of message waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Join,
    Push,
    Leave,
}

/// A message that waits for its answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) reference: u64,
    pub(super) topic: Arc<str>,
    pub(super) kind: Kind,
    pub(super) sent: Instant,
    pub(super) answer: Option<Answer>,
}

/// All of them, oldest first. All have the same time, so the first to be late is the first.
#[derive(Debug, Default)]
pub(super) struct Unanswered(VecDeque<Pending>);

impl Unanswered {
    pub(super) fn add(&mut self, pending: Pending) {
        self.0.push_back(pending);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Pushes of a topic that wait.
    pub(super) fn pushes(&self, topic: &str) -> usize {
        self.0.iter().filter(|pending| pending.kind == Kind::Push && &*pending.topic == topic).count()
    }

    /// Takes out the one that this is the answer to; of another topic it is none.
    pub(super) fn answered(&mut self, reference: u64, topic: &str) -> Answered {
        let Some(at) = self.0.iter().position(|pending| pending.reference == reference) else {
            return Answered::Late;
        };
        if &*self.0[at].topic != topic {
            return Answered::Elsewhere;
        }
        self.0.remove(at).map_or(Answered::Late, Answered::This)
    }

    /// When the first is late.
    pub(super) fn first_late(&self, limit: Duration) -> Option<Instant> {
        self.0.front().map(|pending| pending.sent + limit)
    }

    /// Takes out one that is late.
    pub(super) fn late(&mut self, limit: Duration, now: Instant) -> Option<Pending> {
        self.first_late(limit).filter(|late| *late <= now)?;
        self.0.pop_front()
    }

    /// Takes out what waits for this topic, because it is no more.
    pub(super) fn forget(&mut self, topic: &str) {
        self.0.retain(|pending| &*pending.topic != topic);
    }
}

/// What a reply is the answer to.
#[derive(Debug)]
pub(super) enum Answered {
    This(Pending),
    /// To something that is answered already, or waits no more.
    Late,
    /// To something that was said in another topic.
    Elsewhere,
}
