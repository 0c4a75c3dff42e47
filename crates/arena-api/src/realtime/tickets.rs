//! Tickets: what a player shows the gateway to take the seat that REST has reserved for it.

use super::caller::Calling;
use crate::joining::{Joiner, Joining, Ticket, Unidentified};
use arena_control::Reservation;
use arena_core::Timestamp;
use arena_realtime::Gateway;
use arena_realtime::policy::Identity;
use arena_realtime::token::{Claims, Issuer, SeatClaim};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells who wants to join, and writes the tickets.
#[derive(Debug)]
pub struct Tickets {
    /// Signs them.
    pub issuer: Issuer,
    /// How long one is good for: as long as its player may come back without a new one.
    pub ttl: Duration,
}

impl Tickets {
    /// What REST needs for players to join. `endpoint` is where they connect to.
    pub fn joining(self, gateway: Gateway, endpoint: &str) -> Joining {
        let tickets = Arc::new(self);
        Joining {
            endpoint: endpoint.into(),
            identify: Arc::new(move |parts| {
                let calling = Calling::of(parts);
                let identified = gateway.identify(calling.token.as_deref(), &calling.caller());
                let (who, _) = identified.map_err(|error| Unidentified {
                    detail: format!(
                        "{error}; send a token as `Authorization: Bearer …` (arena token create makes one)"
                    ),
                })?;
                let (user, tickets) = (who.user.to_string(), Arc::clone(&tickets));
                Ok(Joiner { user, issue: Box::new(move |reservation| tickets.write(&who, reservation)) })
            }),
        }
    }

    /// A ticket keeps what the player's own token grants.
    fn write(&self, who: &Identity, reservation: &Reservation) -> Ticket {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let ttl = i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX);
        let seat = SeatClaim { player: reservation.player.0, channel: reservation.channel.to_string() };
        let claims = Claims {
            topics: (*who.grants).clone(),
            seat: Some(seat),
            ..Claims::of(&*reservation.user, who.role, now, ttl)
        };
        Ticket { token: self.issuer.issue(&claims), expires_at: Timestamp(claims.exp.saturating_mul(1_000)) }
    }
}
