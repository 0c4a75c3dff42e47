//! The health report.

use crate::error::ServiceError;
use crate::runtime::Shared;
use crate::sync::SyncTotals;
use arena_core::WorldId;
use arena_core::fault::HostFault;
use arena_core::health::{ChannelFacts, HealthReport, StateCounts, WorldState};
use arena_store::ChannelRow;
use arena_worlds::WorldSummary;
use std::collections::HashMap;
use std::sync::Arc;

/// The service for health.
#[derive(Debug, Clone)]
pub struct Health {
    pub(crate) shared: Arc<Shared>,
}

/// What the host says of its worlds; asked once for all of them.
type Hosted = Result<HashMap<WorldId, WorldSummary>, HostFault>;

impl Health {
    /// Judges every channel.
    pub async fn report(&self) -> Result<HealthReport, ServiceError> {
        let rows = self.shared.store.all_channels().await?;
        let counts = self.shared.store.state_counts().await?;
        let hosted = self.shared.host.list().await;
        let hosted: Hosted = hosted.map(|all| all.into_iter().map(|w| (w.hosted.world.clone(), w)).collect());
        let facts: Vec<ChannelFacts> = rows
            .into_iter()
            .map(|row| {
                let counts = counts.get(&row.channel.seats.name).copied().unwrap_or_default();
                self.facts(row, counts, &hosted)
            })
            .collect();
        Ok(HealthReport::new(&facts, &self.shared.settings.health, self.shared.log.success_percent()))
    }

    fn facts(&self, row: ChannelRow, bots: StateCounts, hosted: &Hosted) -> ChannelFacts {
        let world = match (&row.world, hosted) {
            (None, _) => WorldState::None,
            (Some(_), Err(fault)) => WorldState::Unknown { detail: fault.to_string() },
            (Some(world), Ok(hosted)) => match hosted.get(world) {
                Some(known) if known.hosted.channel == row.channel.seats.name => {
                    WorldState::Valid { world: world.clone(), lagging: known.lagging }
                }
                _ => WorldState::Gone,
            },
        };
        let trouble = self.shared.log.trouble(&row.channel.seats.name);
        ChannelFacts { seats: row.channel.seats, bots, world, trouble }
    }

    /// What all syncs since the start came to.
    pub fn sync_totals(&self) -> SyncTotals {
        self.shared.log.totals()
    }

    /// Whether the store answers and the loops run.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        if self.shared.stop.is_cancelled() {
            return Err(ServiceError::ShuttingDown);
        }
        Ok(self.shared.store.ping().await?)
    }
}
