//! Where a bot that lives in a world gets its seat.

use crate::identity::Identity;
use crate::token::TokenSource;
use arena_core::fleet::Fault;
use async_trait::async_trait;

/// A seat in a world, reserved for a while: it is taken by joining the topic with the token.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The topic to join, without `realtime:`: `world:main`.
    pub topic: String,
    /// What opens the topic.
    pub token: TokenSource,
    /// The id of the bot's body among the world's residents.
    pub body: String,
}

/// Reserves seats. A bot asks again whenever its seat was lost.
#[async_trait]
pub trait Seats: Send + Sync {
    /// Reserves a seat for this bot in a channel's world.
    ///
    /// # Errors
    /// Why there is none. After a refusal (`Permission`, `TenantMissing`, `Authentication`) it is asked again much later,
    /// after everything else after a back-off.
    async fn take(&self, me: &Identity, channel: &str) -> Result<Seat, Fault>;
}
