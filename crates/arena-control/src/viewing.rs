//! The live world of a channel, for those who watch it and those who act in it.

use crate::error::ServiceError;
use crate::players::Players;
use arena_core::PlayerId;
use arena_core::admission::AdmitError;
use arena_core::channel::ChannelName;
use arena_core::fault::HostFault;
use arena_worlds::{Act, ActError, Look};

/// Worlds that are looked at before it is given up: each of them ended meanwhile.
const WORLDS_TRIED: u32 = 3;

/// Why an input was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It makes no sense, or the world did not do it.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The channel has no world at the moment.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl InputError {
    /// The stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            InputError::Act(error) => error.code(),
            InputError::Service(error) => error.code(),
        }
    }
}

impl Players {
    /// The world of a channel as it is now, and the position of its topic that this belongs to. A channel that has no
    /// world gets one.
    pub async fn look(&self, channel: &ChannelName) -> Result<Look, ServiceError> {
        let shared = &self.shared;
        if shared.store.channel(channel).await?.is_none() {
            return Err(AdmitError::ChannelNotFound(channel.clone()).into());
        }
        for _ in 0..WORLDS_TRIED {
            let world = shared.discovery.discover(channel).await?.world;
            match shared.host.look(&world).await {
                Err(HostFault::WorldGone) => {
                    shared.discovery.invalidate(channel, &world);
                    shared.store.clear_world(&world).await?;
                }
                outcome => return outcome.map_err(ServiceError::Host),
            }
        }
        Err(ServiceError::Host(HostFault::transient("one world after the other ended")))
    }

    /// Has a player's body do something; returns the tick that carried it out. Whether the player still holds its
    /// seat is up to the caller, who is told when it is lost.
    pub async fn act(
        &self,
        player: PlayerId,
        channel: &ChannelName,
        event: &str,
        input: &str,
    ) -> Result<u64, InputError> {
        let act = Act::parse(event, input)?;
        let world = self.shared.discovery.discover(channel).await.map_err(ServiceError::from)?.world;
        Ok(self.shared.host.act(&world, player.body(), act).await?)
    }
}
