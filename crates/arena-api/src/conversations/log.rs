//! Reading logs: a part at a time, and a bounded number of readers, by whatever door they come.

use arena_control::{Context, Conversations, LogLine, LogPage, ServiceError};
use arena_core::conversation::{ConversationId, ParticipantId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Text of a log in one answer, in bytes; at least one line.
const MAX_BYTES: usize = 256 * 1024;

/// Lines that are read at once, of some 35 kB each at most: what is read too much is no more than these.
const LINES_AT_ONCE: u32 = 50;

/// How long somebody waits for a place among the readers. Reading takes some milliseconds.
const WAIT: Duration = Duration::from_secs(1);

/// Bounds the reading of logs. Clones share it. Whoever finds no place waits a moment, and is turned away then.
#[derive(Debug, Clone)]
pub struct LogReads(Arc<Semaphore>);

impl Default for LogReads {
    /// For 16 at once: a store has fewer connections than that, and each holds some 2 MB at most.
    fn default() -> LogReads {
        LogReads::new(16)
    }
}

/// Two are the same if they count together.
impl PartialEq for LogReads {
    fn eq(&self, other: &LogReads) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for LogReads {}

impl LogReads {
    /// For so many at once.
    pub fn new(readers: usize) -> LogReads {
        LogReads(Arc::new(Semaphore::new(readers.min(Semaphore::MAX_PERMITS))))
    }

    async fn slot(&self) -> Result<SemaphorePermit<'_>, ServiceError> {
        match timeout(WAIT, self.0.acquire()).await {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(ServiceError::Overloaded),
        }
    }

    /// What a log says after a position: at most `limit` lines, and no more than an answer holds.
    pub(crate) async fn page(
        &self,
        conversations: &Conversations,
        id: &ConversationId,
        after: u64,
        limit: u32,
    ) -> Result<LogPage, ServiceError> {
        let _slot = self.slot().await?;
        let mut page = conversations.messages(id, after, limit.min(LINES_AT_ONCE)).await?;
        loop {
            let left = limit.saturating_sub(u32::try_from(page.lines.len()).unwrap_or(limit));
            if !page.more || left == 0 || fitting(page.lines.iter()) < page.lines.len() {
                break;
            }
            let next = conversations.messages(id, page.position, left.min(LINES_AT_ONCE)).await?;
            // Another conversation has taken its place.
            if next.epoch != page.epoch {
                break;
            }
            page.lines.extend(next.lines);
            (page.position, page.more) = (next.position, next.more);
        }
        shorten(&mut page);
        Ok(page)
    }

    /// What an agent needs to know before it speaks, with the last messages: at most `last`, and no more than an answer
    /// holds.
    pub(crate) async fn context(
        &self,
        conversations: &Conversations,
        id: &ConversationId,
        participant: &ParticipantId,
        last: u32,
    ) -> Result<Context, ServiceError> {
        let _slot = self.slot().await?;
        let mut context = conversations.context(id, participant, last).await?;
        context.last.drain(..context.last.len() - newest(&context.last));
        Ok(context)
    }
}

/// How many of the first lines fit into an answer.
fn fitting<'a>(lines: impl Iterator<Item = &'a LogLine>) -> usize {
    let mut bytes = 0;
    let fits = |line: &&LogLine| {
        bytes += line.body.len();
        bytes <= MAX_BYTES
    };
    lines.take_while(fits).count()
}

/// How many of the newest lines fit into an answer; one at least.
fn newest(lines: &[LogLine]) -> usize {
    fitting(lines.iter().rev()).max(1).min(lines.len())
}

fn shorten(page: &mut LogPage) {
    let fits = fitting(page.lines.iter()).max(1);
    if fits < page.lines.len() {
        page.lines.truncate(fits);
        page.more = true;
        page.position = page.lines.last().map_or(page.position, |line| line.position);
    }
}
