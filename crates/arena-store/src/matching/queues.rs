//! Queues and their rules.

use crate::db::Store;
use crate::error::StoreError;
use arena_core::Timestamp;
use arena_core::matching::{QueueName, Rules};
use std::sync::Arc;

/// A queue.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueRow {
    /// Its name.
    pub name: QueueName,
    /// Its ruleset.
    pub rules: Arc<Rules>,
    /// Rises with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its rules changed.
    pub changed_at: Timestamp,
}

impl Store {
    /// All queues, by name.
    pub async fn match_queues(&self) -> Result<Vec<QueueRow>, StoreError> {
        todo!()
    }

    /// Queues that tickets are of which are not over, also those that are deleted, by name.
    pub async fn queues_in_use(&self) -> Result<Vec<QueueName>, StoreError> {
        todo!()
    }

    /// A queue.
    pub async fn match_queue(&self, name: &QueueName) -> Result<Option<QueueRow>, StoreError> {
        let _ = name;
        todo!()
    }

    /// Makes a queue, or gives it other rules; with `only_new`, one that is there stays as it is. Tickets that wait stay.
    pub async fn put_match_queue(
        &self,
        name: &QueueName,
        rules: &Rules,
        only_new: bool,
    ) -> Result<QueueRow, StoreError> {
        let _ = (name, rules, only_new);
        todo!()
    }

    /// Deletes a queue; its waiting tickets end as [`arena_core::matching::TicketEnd::QueueGone`]. Matches that are made
    /// go on. Returns the tickets that have ended, `None` if there is no such queue.
    pub async fn delete_match_queue(
        &self,
        name: &QueueName,
    ) -> Result<Option<Vec<arena_core::matching::TicketId>>, StoreError> {
        let _ = name;
        todo!()
    }
}
