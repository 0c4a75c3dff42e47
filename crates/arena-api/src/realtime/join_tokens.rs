//! Join tokens: what a player shows the gateway to take the seat that REST has reserved for it.

use super::caller::Calling;
use crate::joining::{JoinToken, Joiner, Joining, Unidentified};
use arena_control::Reservation;
use arena_core::Timestamp;
use arena_realtime::Gateway;
use arena_realtime::policy::Identity;
use arena_realtime::token::{Claims, Issuer, SeatClaim, unix_now};
use std::sync::Arc;
use std::time::Duration;

/// Tells who wants to join, and writes the join tokens.
#[derive(Debug)]
pub struct JoinTokens {
    /// Signs them.
    pub issuer: Issuer,
    /// How long one is good for: as long as its player may come back without a new one.
    pub ttl: Duration,
}

impl JoinTokens {
    /// What REST needs for players to join. `endpoint` is where they connect to.
    pub fn joining(self, gateway: Gateway, endpoint: &str) -> Joining {
        let tokens = Arc::new(self);
        Joining {
            endpoint: endpoint.into(),
            identify: Arc::new(move |parts| {
                let calling = Calling::of(parts);
                let identified = gateway.identify(calling.token.as_deref(), &calling.caller());
                let (who, ends) = identified.map_err(|error| Unidentified {
                    detail: format!(
                        "{error}; send a token as `Authorization: Bearer …` (arena token create makes one)"
                    ),
                })?;
                let (user, tokens) = (who.user.to_string(), Arc::clone(&tokens));
                let issue = move |reservation: &Reservation| tokens.write(&who, ends, reservation);
                Ok(Joiner { user, issue: Box::new(issue) })
            }),
        }
    }

    fn write(&self, who: &Identity, ends: Option<i64>, reservation: &Reservation) -> JoinToken {
        let claims = self.claims(who, ends, reservation, unix_now());
        let expires_at = Timestamp(claims.exp.saturating_mul(1_000));
        JoinToken { token: self.issuer.issue(&claims), expires_at }
    }

    /// A join token grants what the player's own token grants, and only as long: another join with it must not
    /// make it last.
    fn claims(&self, who: &Identity, ends: Option<i64>, reservation: &Reservation, now: i64) -> Claims {
        let ttl = i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX);
        let ttl = ends.map_or(ttl, |ends| ttl.min(ends.saturating_sub(now)));
        let seat = SeatClaim { player: reservation.player.0, channel: reservation.channel.to_string() };
        Claims {
            topics: (*who.grants).clone(),
            seat: Some(seat),
            ..Claims::of(&*reservation.user, who.role, now, ttl)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_core::PlayerId;
    use arena_realtime::token::{Role, Secret};

    const NOW: i64 = 1_000_000;

    fn tokens() -> JoinTokens {
        let secret = Secret::own(&"k".repeat(Secret::MIN_BYTES)).unwrap();
        JoinTokens { issuer: Issuer::new(&secret), ttl: Duration::from_secs(600) }
    }

    fn exp(who: &Identity, ends: Option<i64>) -> i64 {
        let reservation = Reservation {
            player: PlayerId(uuid::Uuid::nil()),
            channel: "club".parse().unwrap(),
            user: who.user.to_string(),
            expires_at: Timestamp(0),
        };
        tokens().claims(who, ends, &reservation, NOW).exp
    }

    #[test]
    fn a_join_token_ends_with_the_token_that_it_was_got_with() {
        let who = Identity::of(&Claims::of("ada", Role::Authenticated, NOW, 60));
        assert_eq!(exp(&who, Some(NOW + 60)), NOW + 60);
        assert_eq!(exp(&who, Some(NOW + 6_000)), NOW + 600, "but not later than its own time");
        assert_eq!(exp(&Identity::anonymous(), None), NOW + 600);
    }

    #[test]
    fn joining_with_a_join_token_does_not_make_it_last() {
        let who = Identity::of(&Claims::of("ada", Role::Authenticated, NOW, 60));
        let first = exp(&who, Some(NOW + 60));
        assert_eq!(exp(&who, Some(first)), first);
    }
}
