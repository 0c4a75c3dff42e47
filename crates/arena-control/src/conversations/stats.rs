//! What conversations have done so far, in this process.

use super::applying::{Answer, Applied};
use super::outcome::{ConversationStats, Receipt};
use arena_core::conversation::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counters, touched once for every batch.
#[derive(Debug, Default)]
pub(super) struct Counters {
    stats: Mutex<ConversationStats>,
}

impl Counters {
    /// As they are now.
    pub(super) fn read(&self) -> ConversationStats {
        self.lock().clone()
    }

    /// A batch was written.
    pub(super) fn written(&self, applied: &Applied) {
        let (log, mut stats) = (&applied.batch.log, self.lock());
        stats.batches += u64::from(!log.is_empty());
        stats.entries += log.len() as u64;
        stats.created += applied.batch.created.len() as u64;
        stats.messages += applied.spent.messages;
        stats.tokens += applied.spent.tokens;
        stats.cost_micros += applied.spent.cost_micros;
        for row in log {
            if row.event == "exhausted"
                && let Ok(Entry::Exhausted(end)) = Entry::read(&row.event, &row.body)
            {
                *stats.exhausted.entry(end.reason.as_str()).or_default() += 1;
            }
        }
        for answer in &applied.answers {
            match answer {
                Answer::Refused(refusal) if refusal.code.is_capacity() => {
                    *stats.dropped.entry(refusal.code.as_str()).or_default() += 1;
                }
                Answer::Receipt(receipt) => count(&mut stats, receipt),
                _ => {}
            }
        }
    }

    /// A batch was begun again.
    pub(super) fn retried(&self) {
        self.lock().retries += 1;
    }

    /// So many conversations are in memory.
    pub(super) fn set_active(&self, active: usize) {
        self.lock().active = active as u64;
    }

    fn lock(&self) -> MutexGuard<'_, ConversationStats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(stats: &mut ConversationStats, receipt: &Receipt) {
    stats.repeated += u64::from(receipt.repeated);
    stats.notices += receipt.notices.len() as u64;
    if let Some(refusal) = &receipt.dropped {
        *stats.dropped.entry(refusal.code.as_str()).or_default() += 1;
    }
}
