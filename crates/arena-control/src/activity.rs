//! The activity log.

use crate::error::ServiceError;
use crate::runtime::Shared;
use arena_store::{Activity, ActivityFilter, Page, PageRequest};
use std::sync::Arc;

/// The service for the activity log.
#[derive(Debug, Clone)]
pub struct ActivityLog {
    pub(crate) shared: Arc<Shared>,
}

impl ActivityLog {
    /// A page of the log, newest first.
    pub async fn list(
        &self,
        filter: ActivityFilter,
        page: PageRequest,
    ) -> Result<Page<Activity>, ServiceError> {
        Ok(self.shared.store.activity(&filter, &page).await?)
    }
}
