//! A conversation in memory.

use super::known::Known;
use super::outcome::{Summary, corrupt};
use crate::error::ServiceError;
use arena_bus::{Epoch, Position};
use arena_core::Timestamp;
use arena_core::conversation::{AccountId, ConversationId, Entry, Ledger};
use arena_core::topic::TopicName;
use arena_store::{ConversationRow, LogRow};
use std::time::Instant;

/// Entries after which the ledger is written down again: what has to be read back after a crash.
const CHECKPOINT_EVERY: u64 = 64;

/// What a conversation's row says.
#[derive(Debug, Clone, Copy)]
struct Stored {
    position: u64,
    exhausted: bool,
    due: Option<Timestamp>,
}

/// A conversation in memory. What stands in it may be ahead of the store until the batch is written.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) id: ConversationId,
    pub(super) key: i64,
    pub(super) topic: TopicName,
    pub(super) epoch: Epoch,
    pub(super) ledger: Ledger,
    pub(super) created_at: Timestamp,
    pub(super) known: Known,
    /// Its accounts, so that they need not be named again for every message.
    pub(super) accounts: Vec<AccountId>,
    /// When it was last asked for something.
    pub(super) used: Instant,
    /// The batch that it is part of; so that each is in a batch once.
    pub(super) batch: u64,
    /// When it is woken.
    pub(super) timer: Option<Timestamp>,
    /// The setup has changed, or somebody waits for its row to say when it is due.
    pub(super) wants_checkpoint: bool,
    /// What its row says; `None` before there is one.
    stored: Option<Stored>,
}

impl Live {
    /// One that has just been created.
    pub(super) fn new(id: ConversationId, key: i64, ledger: Ledger, now: Timestamp) -> Live {
        Live {
            topic: TopicName::of_conversation(&id),
            epoch: epoch(key),
            accounts: ledger.accounts().collect(),
            id,
            key,
            ledger,
            created_at: now,
            known: Known::default(),
            used: Instant::now(),
            batch: 0,
            timer: None,
            wants_checkpoint: false,
            stored: None,
        }
    }

    /// One from the store: its row, and what the log says since that was written.
    pub(super) fn read(row: ConversationRow, tail: &[LogRow]) -> Result<Live, ServiceError> {
        let mut ledger: Ledger = serde_json::from_str(&row.state).map_err(corrupt)?;
        let stored = Stored { position: ledger.position(), exhausted: row.exhausted, due: row.due_at };
        for line in tail {
            let entry = Entry::read(&line.event, &line.body).map_err(|error| {
                ServiceError::Store(arena_store::StoreError::Corrupt(format!(
                    "conversation {}: {error}",
                    row.id
                )))
            })?;
            ledger.apply(&entry, line.at);
        }
        let mut live = Live::new(row.id, row.key, ledger, row.created_at);
        live.stored = Some(stored);
        Ok(live)
    }

    /// The log's end.
    pub(super) fn position(&self) -> Position {
        Position { offset: self.ledger.position(), epoch: self.epoch.clone() }
    }

    pub(super) fn summary(&self) -> Summary {
        Summary {
            id: self.id.clone(),
            setup: self.ledger.setup().clone(),
            exhausted: self.ledger.exhausted(),
            created_at: self.created_at,
        }
    }

    /// Whether it is not in the store yet.
    pub(super) fn is_new(&self) -> bool {
        self.stored.is_none()
    }

    /// Whether its row ought to be written again.
    pub(super) fn wants_row(&self) -> bool {
        let Some(stored) = self.stored else { return true };
        let due = self.ledger.due();
        let earlier = due.is_some_and(|due| stored.due.is_none_or(|stored| due < stored));
        self.wants_checkpoint
            || earlier
            || stored.exhausted != self.ledger.exhausted().is_some()
            || self.ledger.position() - stored.position >= CHECKPOINT_EVERY
    }

    /// Whether its row says that something is due by now: it is found again and again until the row says otherwise.
    pub(super) fn is_overdue(&self, now: Timestamp) -> bool {
        self.stored.and_then(|stored| stored.due).is_some_and(|due| due <= now)
    }

    /// Whether its row is behind the log.
    pub(super) fn is_behind(&self) -> bool {
        self.stored.is_none_or(|stored| stored.position < self.ledger.position())
    }

    /// Its row as it is now.
    pub(super) fn row(&self) -> ConversationRow {
        let setup = self.ledger.setup();
        ConversationRow {
            key: self.key,
            id: self.id.clone(),
            owner: setup.owner.as_ref().map(ToString::to_string),
            root: setup.root.clone(),
            state: serde_json::to_string(&self.ledger).unwrap_or_default(),
            position: i64::try_from(self.ledger.position()).unwrap_or(i64::MAX),
            exhausted: self.ledger.exhausted().is_some(),
            created_at: self.created_at,
            due_at: self.ledger.due(),
        }
    }

    /// An entry as a line of its log.
    pub(super) fn log_row(&self, entry: &Entry, position: u64, now: Timestamp) -> LogRow {
        LogRow {
            key: self.key,
            position: i64::try_from(position).unwrap_or(i64::MAX),
            at: now,
            event: entry.event().to_owned(),
            message_id: entry.message_id().map(ToString::to_string),
            body: entry.body(),
        }
    }

    /// The row was written.
    pub(super) fn row_written(&mut self) {
        self.stored = Some(Stored {
            position: self.ledger.position(),
            exhausted: self.ledger.exhausted().is_some(),
            due: self.ledger.due(),
        });
        self.wants_checkpoint = false;
    }
}

/// The epoch of a conversation's topic: it never changes, because the log is never lost.
pub(super) fn epoch(key: i64) -> Epoch {
    Epoch::from(format!("{key:x}").as_str())
}
