//! Worlds: looking into them, and wiping them.

use crate::error::ServiceError;
use crate::runtime::Shared;
use arena_core::WorldId;
use arena_core::fault::HostFault;
use arena_store::{Actor, Page, PageRequest};
use arena_worlds::{Validity, WorldSummary, WorldView};
use std::sync::Arc;

/// The service for worlds.
#[derive(Debug, Clone)]
pub struct Worlds {
    pub(crate) shared: Arc<Shared>,
}

impl Worlds {
    /// A page of worlds by id.
    pub async fn list(&self, page: PageRequest) -> Result<Page<WorldSummary>, ServiceError> {
        let worlds = self.shared.host.list().await.map_err(ServiceError::Host)?;
        let limit = page.limit.clamp(1, PageRequest::MAX_LIMIT) as usize;
        let after =
            |world: &WorldSummary| page.cursor.as_deref().is_none_or(|c| world.hosted.world.as_str() > c);
        let mut items: Vec<WorldSummary> = worlds.into_iter().filter(after).take(limit + 1).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|world| world.hosted.world.to_string());
        Ok(Page { items, next_cursor })
    }

    /// Looks into a world.
    pub async fn get(&self, world: &WorldId) -> Result<WorldView, ServiceError> {
        self.shared.host.view(world).await.map_err(|fault| match fault {
            HostFault::WorldGone => ServiceError::WorldNotFound(world.clone()),
            fault => ServiceError::Host(fault),
        })
    }

    /// Asks the host whether a world exists.
    pub async fn validate(&self, world: &WorldId) -> Validity {
        self.shared.host.validate(world).await
    }

    /// Makes one world, or all, vanish as a crash would: nothing is told beforehand, nothing is cleaned up. Returns
    /// how many.
    pub async fn wipe(&self, actor: &Actor, world: Option<&WorldId>) -> Result<u32, ServiceError> {
        let worlds = self.shared.host.list().await.map_err(ServiceError::Host)?;
        let doomed: Vec<_> =
            worlds.into_iter().filter(|w| world.is_none_or(|id| w.hosted.world == *id)).collect();
        if let (Some(world), true) = (world, doomed.is_empty()) {
            return Err(ServiceError::WorldNotFound(world.clone()));
        }
        let mut fault = None;
        for summary in &doomed {
            // One that cannot be ended does not spare the others.
            fault = self.shared.host.destroy(&summary.hosted.world).await.err().or(fault);
        }
        if let Some(fault) = fault {
            return Err(ServiceError::Host(fault));
        }
        let channel = doomed.first().filter(|_| world.is_some()).map(|w| &w.hosted.channel);
        self.shared.note(actor, "worlds.wiped", None, channel).await?;
        Ok(u32::try_from(doomed.len()).unwrap_or(u32::MAX))
    }
}
