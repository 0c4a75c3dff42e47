//! Join tokens: what a player shows the gateway to take the seat that REST has reserved for it.

use super::caller::{Calling, NotIdentified};
use crate::conversations::wire::Speaker;
use crate::joining::{JoinToken, Joiner, Joining, Unidentified};
use arena_control::Reservation;
use arena_core::Timestamp;
use arena_realtime::Gateway;
use arena_realtime::policy::Identity;
use arena_realtime::token::{Claims, Issuer, Role, SeatClaim, unix_now};
use axum::http::request::Parts;
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
        let (door, worlds) = (gateway.clone(), gateway.clone());
        Joining {
            endpoint: endpoint.into(),
            watched: Arc::new(move |channel| worlds.everybody_may_watch(channel)),
            speaks: Arc::new(move |parts| speaker(&door, parts)),
            identify: Arc::new(move |parts| {
                let calling = Calling::of(parts);
                let (who, ends) = calling.identify(&gateway).map_err(unidentified)?;
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
            bot: who.bot,
            ..Claims::of(&*reservation.user, who.role, now, ttl)
        }
    }
}

fn unidentified(error: NotIdentified) -> Unidentified {
    let hint = "send a token as `Authorization: Bearer …` (arena token create makes one)";
    Unidentified { detail: format!("{error}; {hint}") }
}

/// Who has no token comes by the door that REST is: it is open to those who may do everything.
fn speaker(gateway: &Gateway, parts: &Parts) -> Result<Speaker, Unidentified> {
    let calling = Calling::of(parts);
    if calling.token == Ok(None) {
        return Ok(Speaker::service());
    }
    let (who, token_ends) = calling.identify(gateway).map_err(unidentified)?;
    Ok(Speaker { token_ends, ..speaker_of(&who) })
}

/// In whose name somebody speaks, by whatever door. A made-up name is another one in every request and every session:
/// nothing could be counted under it.
pub(super) fn speaker_of(who: &Identity) -> Speaker {
    let name = || who.user.parse().ok().filter(|_| !who.anonymous);
    let speaker = match who.role {
        Role::ServiceRole => Speaker::service(),
        Role::Anon | Role::Authenticated => name().map_or_else(Speaker::nobody, Speaker::user),
    };
    Speaker { bot: who.bot, ..speaker }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_core::PlayerId;
    use arena_realtime::token::Secret;

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
    fn a_token_speaks_for_its_subject_and_only_a_services_for_others() {
        let of = |role, user: Option<&str>| {
            let mut claims = Claims::of("ada", role, NOW, 60);
            claims.sub = user.map(str::to_owned);
            speaker_of(&Identity::of(&claims))
        };
        let ada = Speaker::user("ada".parse().unwrap());
        assert_eq!(of(Role::Authenticated, Some("ada")), ada);
        assert_eq!(of(Role::Anon, Some("ada")), ada);
        assert_eq!(of(Role::ServiceRole, Some("ada")), Speaker::service());
        assert_eq!(of(Role::Authenticated, None), Speaker::nobody());
        assert_eq!(of(Role::Anon, None), Speaker::nobody());
        let long = "x".repeat(1_000);
        assert_eq!(of(Role::Authenticated, Some(&long)), Speaker::nobody());
        let bot = Claims { bot: true, ..Claims::of("ada", Role::Authenticated, NOW, 60) };
        assert!(speaker_of(&Identity::of(&bot)).bot);
    }

    #[test]
    fn joining_with_a_join_token_does_not_make_it_last() {
        let who = Identity::of(&Claims::of("ada", Role::Authenticated, NOW, 60));
        let first = exp(&who, Some(NOW + 60));
        assert_eq!(exp(&who, Some(first)), first);
    }
}
