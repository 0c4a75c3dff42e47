//! A queue as it is shown.

use super::RulesBody;
use arena_control::QueueView;
use arena_core::Timestamp;
use arena_core::matching::{QueueName, Rules};
use serde::Serialize;

/// A queue: its rules, who is in it, and what became of those who were.
#[derive(Debug, Serialize)]
pub(crate) struct QueueBody {
    name: QueueName,
    /// For services only: rules may name hosts that are nobody else's concern.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<RulesBody>,
    version: i64,
    waiting: WaitingBody,
    proposed: u64,
    matched: u64,
    last_hour: LastHourBody,
    created_at_ms: Timestamp,
    changed_at_ms: Timestamp,
}

#[derive(Debug, Serialize)]
struct WaitingBody {
    humans: u64,
    bots: u64,
    oldest_wait_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
struct LastHourBody {
    matched: u64,
    wait_p50_ms: Option<u64>,
    wait_p95_ms: Option<u64>,
    quality: Option<u32>,
    abandoned: u64,
    failed: u64,
}

impl QueueBody {
    /// As it is at `now`.
    pub(crate) fn new(view: QueueView, with_rules: bool, now: Timestamp) -> QueueBody {
        let QueueView { queue, counts, waits } = view;
        let waited = |since: Timestamp| u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0);
        QueueBody {
            rules: with_rules.then(|| Rules::clone(&queue.rules).into()),
            name: queue.name,
            version: queue.version,
            waiting: WaitingBody {
                humans: counts.humans,
                bots: counts.bots,
                oldest_wait_ms: counts.oldest.map(waited),
            },
            proposed: counts.proposed,
            matched: counts.matched,
            last_hour: LastHourBody {
                matched: waits.matched,
                wait_p50_ms: waits.wait_p50_ms,
                wait_p95_ms: waits.wait_p95_ms,
                quality: waits.quality,
                abandoned: waits.abandoned,
                failed: waits.failed,
            },
            created_at_ms: queue.created_at,
            changed_at_ms: queue.changed_at,
        }
    }
}
