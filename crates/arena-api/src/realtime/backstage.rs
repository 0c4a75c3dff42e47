//! What is behind the topics of worlds: the players' service.

use arena_control::{InputError, Players, ServiceError};
use arena_core::PlayerId;
use arena_core::channel::ChannelName;
use arena_realtime::token::SeatClaim;
use arena_realtime::{Backstage, Entered, Look, Refused};
use async_trait::async_trait;
use std::time::Duration;

/// Attempts to leave a seat while the store does not answer. One that is never left is freed at the next start.
const EXIT_ATTEMPTS: u32 = 10;

/// After the first of them; doubled after each further one.
const EXIT_DELAY: Duration = Duration::from_millis(200);

/// Seats and worlds, for the gateway.
#[derive(Debug, Clone)]
pub struct Stage {
    players: Players,
}

impl Stage {
    /// Over the players' service.
    pub fn new(players: Players) -> Stage {
        Stage { players }
    }

    async fn look_at(&self, channel: &ChannelName) -> Result<Look, Refused> {
        let look = self.players.look(channel).await.map_err(|error| refused(&error))?;
        Ok(Look { snapshot: look.snapshot, position: look.position })
    }
}

#[async_trait]
impl Backstage for Stage {
    async fn enter(&self, seat: &SeatClaim, holder: u64) -> Result<Entered, Refused> {
        let (player, channel) = (PlayerId(seat.player), channel(&seat.channel)?);
        let entered = self.players.enter(player, &channel, holder).await.map_err(|error| refused(&error))?;
        match self.look_at(&channel).await {
            Ok(look) => Ok(Entered { look, took_over: entered.took_over }),
            Err(refused) => {
                self.exit(seat, holder).await;
                Err(refused)
            }
        }
    }

    async fn look(&self, name: &str) -> Result<Look, Refused> {
        self.look_at(&channel(name)?).await
    }

    async fn act(&self, seat: &SeatClaim, _holder: u64, event: &str, input: &str) -> Result<u64, Refused> {
        let outcome = self.players.act(PlayerId(seat.player), &channel(&seat.channel)?, event, input).await;
        outcome
            .map_err(|error: InputError| Refused { code: error.code().to_owned(), detail: error.to_string() })
    }

    async fn exit(&self, seat: &SeatClaim, holder: u64) {
        let mut delay = EXIT_DELAY;
        for _ in 0..EXIT_ATTEMPTS {
            match self.players.exit(PlayerId(seat.player), holder).await {
                Ok(_) => return,
                Err(error) if error.retryable() => tokio::time::sleep(delay).await,
                Err(error) => {
                    tracing::error!(player = %seat.player, %error, "a seat cannot be left");
                    return;
                }
            }
            delay *= 2;
        }
        tracing::error!(player = %seat.player, "a seat cannot be left: the store does not answer");
    }
}

fn channel(name: &str) -> Result<ChannelName, Refused> {
    name.parse().map_err(|error: arena_core::ParseIdError| Refused {
        code: "channel_not_found".to_owned(),
        detail: error.to_string(),
    })
}

fn refused(error: &ServiceError) -> Refused {
    Refused { code: error.code().to_owned(), detail: error.to_string() }
}
