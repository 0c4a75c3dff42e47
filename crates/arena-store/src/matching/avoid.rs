//! Who is not to be matched with whom: partings for a while, blocks for ever; and what users report.

use super::rows::ReportRow;
use crate::db::Store;
use crate::error::StoreError;
use crate::page::{Page, PageRequest};
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Avoid, QueueName};

impl Store {
    /// Pairs of users who wait in a queue and are not to be matched now.
    pub async fn avoided(&self, queue: &QueueName, now: Timestamp) -> Result<Avoid, StoreError> {
        let _ = (queue, now);
        todo!()
    }

    /// Blocks a user for another, and gives the waiting tickets of both a new version: what was read of them before does
    /// not make a match any more.
    pub async fn block(
        &self,
        user: &ParticipantId,
        blocked: &ParticipantId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let _ = (user, blocked, now);
        todo!()
    }

    /// Takes a block back. Returns whether there was one.
    pub async fn unblock(&self, user: &ParticipantId, blocked: &ParticipantId) -> Result<bool, StoreError> {
        let _ = (user, blocked);
        todo!()
    }

    /// Whom a user has blocked.
    pub async fn blocks(&self, user: &ParticipantId) -> Result<Vec<ParticipantId>, StoreError> {
        let _ = user;
        todo!()
    }

    /// Keeps a report.
    pub async fn report(&self, report: &ReportRow) -> Result<(), StoreError> {
        let _ = report;
        todo!()
    }

    /// A page of reports, newest first.
    pub async fn reports(&self, page: &PageRequest) -> Result<Page<ReportRow>, StoreError> {
        let _ = page;
        todo!()
    }
}
