//! Everything that the writer has in memory.

use super::live::Live;
use super::outcome::corrupt;
use crate::error::ServiceError;
use arena_core::Timestamp;
use arena_core::conversation::{Account, AccountId, Accounts, ConversationId};
use arena_store::{AccountRow, BatchError, ConversationRow, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// Shared budgets that are kept in mind, whether there are such accounts or not; beyond it all are forgotten.
const MAX_ACCOUNTS: usize = 100_000;

/// Ledgers that are written down in one transaction when their conversations leave memory.
const LEAVING: usize = 512;

/// Conversations and shared budgets in memory.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) lives: HashMap<ConversationId, Live>,
    pub(super) accounts: Accounts,
    /// What the store says of accounts: the version, or that there is none.
    read: HashMap<AccountId, Option<(i64, Account)>>,
    /// When somebody is to be woken. What stands here may be too early, never too late.
    timers: BTreeSet<(Timestamp, ConversationId)>,
    next_key: i64,
    pub(super) batch: u64,
}

impl State {
    /// A key that no conversation has had: milliseconds since the Unix epoch, with room for a million in each, of which
    /// the upper half is [not the writer's](super::newborn::Keys).
    pub(super) fn next_key(&mut self, now: Timestamp) -> i64 {
        self.next_key = (self.next_key + 1).max(now.0.saturating_mul(1 << 20));
        self.next_key
    }

    /// Loads what is not in memory. Those that do not exist are not there afterwards either. Returns those
    /// that were loaded: somebody may have heard less of them.
    pub(super) async fn load(
        &mut self,
        store: &Store,
        wanted: impl Iterator<Item = &ConversationId>,
    ) -> Result<Vec<ConversationId>, ServiceError> {
        let missing: BTreeSet<&ConversationId> = wanted.filter(|id| !self.lives.contains_key(*id)).collect();
        let missing: Vec<ConversationId> = missing.into_iter().cloned().collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let mut loaded = Vec::new();
        for (row, tail) in store.conversations_with_tails(&missing).await? {
            let mut live = Live::read(row, &tail)?;
            self.wake_in_time(&mut live);
            loaded.push(live.id.clone());
            self.lives.insert(live.id.clone(), live);
        }
        Ok(loaded)
    }

    /// Loads accounts that are not in memory.
    pub(super) async fn load_accounts(
        &mut self,
        store: &Store,
        wanted: impl Iterator<Item = AccountId>,
    ) -> Result<(), ServiceError> {
        let missing: BTreeSet<AccountId> = wanted.filter(|id| !self.read.contains_key(id)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<AccountId> = missing.into_iter().collect();
        for AccountRow { id, version, state } in store.accounts(&missing).await? {
            let account: Account = serde_json::from_str(&state).map_err(corrupt)?;
            self.accounts.insert(id.clone(), account.clone());
            self.read.insert(id, Some((version, account)));
        }
        for id in missing {
            self.read.entry(id).or_insert(None);
        }
        Ok(())
    }

    /// Rows of those accounts that are not as the store has them.
    pub(super) fn changed_accounts<'a>(
        &self,
        ids: impl Iterator<Item = &'a AccountId>,
    ) -> BTreeMap<AccountId, AccountRow> {
        let mut rows = BTreeMap::new();
        for id in ids {
            let (Some(account), Some(read)) = (self.accounts.get(id), self.read.get(id)) else { continue };
            if read.as_ref().is_some_and(|(_, stored)| stored == account) {
                continue;
            }
            let version = read.as_ref().map_or(0, |(version, _)| *version);
            let state = serde_json::to_string(account).unwrap_or_default();
            rows.insert(id.clone(), AccountRow { id: id.clone(), version, state });
        }
        rows
    }

    /// These rows were written.
    pub(super) fn accounts_written(&mut self, rows: &[AccountRow]) {
        for row in rows {
            if let Some(account) = self.accounts.get(&row.id) {
                self.read.insert(row.id.clone(), Some((row.version + 1, account.clone())));
            }
        }
        if self.read.len() > MAX_ACCOUNTS {
            self.read.clear();
            self.accounts.clear();
        }
    }

    /// Forgets everything: nobody knows what of it is true.
    pub(super) fn forget_all(&mut self) {
        *self = State { next_key: self.next_key, batch: self.batch, ..State::default() };
    }

    /// What was applied to these was not written, or nobody knows: they are loaded again when they are wanted.
    pub(super) fn forget(&mut self, ids: &[ConversationId], accounts: &[AccountRow]) {
        for id in ids {
            if let Some(live) = self.lives.remove(id) {
                if let Some(timer) = live.timer {
                    self.timers.remove(&(timer, live.id));
                }
                for account in &live.accounts {
                    self.read.remove(account);
                    self.accounts.remove(account);
                }
            }
        }
        for row in accounts {
            self.read.remove(&row.id);
            self.accounts.remove(&row.id);
        }
    }

    /// Sees to it that a conversation is woken when something is due.
    pub(super) fn wake_in_time(&mut self, live: &mut Live) {
        let Some(due) = live.ledger.due() else { return };
        if live.timer.is_none_or(|timer| due < timer) {
            live.timer = Some(due);
            self.timers.insert((due, live.id.clone()));
        }
    }

    /// Conversations in memory for which something is due, at most `limit`.
    pub(super) fn due(&mut self, now: Timestamp, limit: usize) -> Vec<ConversationId> {
        let mut due = Vec::new();
        while due.len() < limit
            && let Some((at, _)) = self.timers.first()
            && *at <= now
            && let Some((at, id)) = self.timers.pop_first()
        {
            let Some(mut live) = self.lives.remove(&id) else { continue };
            if live.timer == Some(at) {
                live.timer = None;
                match live.ledger.due() {
                    Some(real) if real <= now => due.push(id.clone()),
                    _ => self.wake_in_time(&mut live),
                }
            }
            self.lives.insert(id, live);
        }
        due
    }

    /// Takes idle conversations out of memory, and those that were idle for longest where there are too many. What is
    /// only in the log is written into their rows first, so that they come back quickly.
    pub(super) async fn leave(
        &mut self,
        store: &Store,
        idle: Duration,
        max_active: usize,
    ) -> Result<(), BatchError> {
        let leaving = self.leaving(idle, max_active);
        for ids in leaving.chunks(LEAVING) {
            let lives = ids.iter().filter_map(|id| self.lives.get(id));
            let rows: Vec<ConversationRow> = lives.filter(|live| live.is_behind()).map(Live::row).collect();
            if !rows.is_empty() {
                let batch = arena_store::Batch { checkpoints: rows, ..arena_store::Batch::default() };
                match store.write_conversations(&batch).await {
                    Err(error @ BatchError::Store(StoreError::Unavailable(_))) => return Err(error),
                    // Somebody else has written, or one of them is gone. The log has everything, so they may go as
                    // they are, and come back a little slower.
                    Err(error) => tracing::debug!(?error, "idle conversations were not written down"),
                    Ok(()) => {}
                }
            }
            for id in ids {
                if let Some(live) = self.lives.remove(id)
                    && let Some(timer) = live.timer
                {
                    self.timers.remove(&(timer, live.id));
                }
            }
        }
        Ok(())
    }

    fn leaving(&self, idle: Duration, max_active: usize) -> Vec<ConversationId> {
        let mut all: Vec<(Instant, &ConversationId)> =
            self.lives.values().map(|live| (live.used, &live.id)).collect();
        all.sort_unstable_by_key(|(used, _)| *used);
        let too_many = all.len().saturating_sub(max_active);
        let goes = |(index, (used, _)): &(usize, (Instant, &ConversationId))| {
            *index < too_many || used.elapsed() >= idle
        };
        all.into_iter().enumerate().take_while(goes).map(|(_, (_, id))| id.clone()).collect()
    }
}
