//! What is behind the topics: the services of players, conversations and matchmaking.

use super::meeting::Meeting;
use super::talk::Talk;
use crate::router::ApiLimits;
use arena_control::{InputError, Players, ServiceError, Services};
use arena_core::PlayerId;
use arena_core::channel::ChannelName;
use arena_realtime::token::SeatClaim;
use arena_realtime::{Asking, Backstage, Entered, Heard, Look, Missed, Refused, Said, Saying};
use async_trait::async_trait;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Until a seat is tried to be left again when the store did not answer; doubled after each further attempt.
const EXIT_DELAY: Duration = Duration::from_millis(200);

/// The longest of these delays: how long after the end of an outage a seat may still be held by nobody.
const EXIT_DELAY_CAP: Duration = Duration::from_secs(5);

/// Seats, worlds, conversations and matches, for the gateway.
#[derive(Debug, Clone)]
pub struct Stage {
    players: Players,
    talk: Talk,
    meeting: Meeting,
    stop: CancellationToken,
}

impl Stage {
    /// Over the services, with the limits that REST has too. After `stop` nothing is tried again: the next start frees the
    /// seats that are held still.
    pub fn new(services: &Services, limits: &ApiLimits, stop: CancellationToken) -> Stage {
        let talk = Talk::new(services.conversations.clone(), limits);
        let meeting = Meeting::new(services.matchmaking.clone());
        Stage { players: services.players.clone(), talk, meeting, stop }
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
        let leave = || self.players.exit(PlayerId(seat.player), holder);
        match self.stop.run_until_cancelled(until_it_answers(leave)).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => tracing::error!(player = %seat.player, %error, "a seat cannot be left"),
            None => tracing::warn!(player = %seat.player, "a seat was not left before the end"),
        }
    }

    async fn listen(&self, conversation: &str) -> Result<Heard, Refused> {
        self.talk.listen(conversation).await
    }

    async fn missed(
        &self,
        conversation: &str,
        user: &str,
        after: u64,
        limit: u32,
    ) -> Result<Missed, Refused> {
        self.talk.missed(conversation, user, after, limit).await
    }

    fn say(&self, saying: Saying<'_>) -> Said {
        self.talk.say(&saying)
    }

    fn matchmake(&self, asking: Asking<'_>) -> Said {
        self.meeting.matchmake(&asking)
    }

    async fn attend(&self, conversation: &str, user: &str, present: bool) {
        self.meeting.attend(conversation, user, present).await;
    }
}

/// Tries again and again while whatever is asked does not answer: a seat that is not left is held by nobody for ever.
async fn until_it_answers<T, F: Future<Output = Result<T, ServiceError>>>(
    attempt: impl Fn() -> F,
) -> Result<T, ServiceError> {
    let mut delay = EXIT_DELAY;
    loop {
        match attempt().await {
            Err(error) if error.retryable() => {
                tracing::debug!(%error, "a seat is not left yet");
                tokio::time::sleep(delay).await;
            }
            outcome => return outcome,
        }
        delay = (delay * 2).min(EXIT_DELAY_CAP);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_seat_is_left_when_the_store_answers_again_however_long_that_takes() {
        let (began, outage) = (Instant::now(), Duration::from_secs(3_600));
        let attempt =
            || async { if began.elapsed() < outage { Err(ServiceError::Overloaded) } else { Ok(()) } };
        until_it_answers(attempt).await.unwrap();
        assert!(began.elapsed() <= outage + EXIT_DELAY_CAP, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_repetition_mends_is_not_tried_again() {
        let attempts = Cell::new(0);
        let attempt = || {
            attempts.set(attempts.get() + 1);
            std::future::ready(Err::<(), _>(ServiceError::NoBotNamed("Ada".to_owned())))
        };
        until_it_answers(attempt).await.unwrap_err();
        assert_eq!(attempts.get(), 1);
    }
}
