//! What a token says.

use super::TokenError;
use crate::policy::Grants;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// What a token says, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// The user. Supabase's `anon` and `service_role` keys name nobody: whoever shows such a key is somebody else in
    /// every session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// What kind of user.
    pub role: Role,
    /// Until when, in seconds since 1970; at that second it is over.
    pub exp: i64,
    /// Since when, in seconds since 1970; 0 where the token does not say.
    pub iat: i64,
    /// The private topics that it opens.
    #[serde(skip_serializing_if = "Grants::is_empty")]
    pub topics: Grants,
    /// The seat that it is for, if it is a join token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seat: Option<SeatClaim>,
    /// Whether the user is a bot: whoever signs the token answers for that, and the user cannot deny it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bot: bool,
}

/// A player's seat in a channel: what makes a token a join token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatClaim {
    /// The player.
    pub player: Uuid,
    /// The channel's name.
    pub channel: String,
}

/// What kind of user somebody is, in Supabase's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nobody in particular.
    Anon,
    /// Somebody who is known.
    Authenticated,
    /// A service: private topics are open to it, and it writes notices.
    ServiceRole,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 3] = [Role::Anon, Role::Authenticated, Role::ServiceRole];

    /// As tokens spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Anon => "anon",
            Role::Authenticated => "authenticated",
            Role::ServiceRole => "service_role",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A role that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is none of anon, authenticated, service_role")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Role, UnknownRole> {
        Role::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

impl Claims {
    /// The longest user id, in bytes: `user:` and the id must fit into a topic.
    pub const MAX_SUB_BYTES: usize = 128;

    /// Claims of a user, a person, good for `ttl_secs` from `now_secs` on, without grants and without a seat.
    pub fn of(sub: impl Into<String>, role: Role, now_secs: i64, ttl_secs: i64) -> Claims {
        Claims {
            sub: Some(sub.into()),
            role,
            exp: now_secs.saturating_add(ttl_secs),
            iat: now_secs,
            topics: Grants::default(),
            seat: None,
            bot: false,
        }
    }

    /// How long it is still good for, in seconds; 0 once it is over.
    pub fn ttl_secs(&self, now_secs: i64) -> u64 {
        u64::try_from(self.exp.saturating_sub(now_secs)).unwrap_or(0)
    }

    /// Refuses what is over.
    pub fn check_expiry(&self, now_secs: i64) -> Result<(), TokenError> {
        match now_secs.saturating_sub(self.exp) {
            secs_ago if secs_ago >= 0 => Err(TokenError::Expired { secs_ago }),
            _ => Ok(()),
        }
    }
}

/// Claims as they come, of whatever types. Further ones (`iss`, `aud`, `email`, …) are not looked at.
#[derive(Debug, Deserialize)]
pub(super) struct RawClaims {
    sub: Option<String>,
    role: Option<String>,
    exp: Option<serde_json::Number>,
    iat: Option<serde_json::Number>,
    nbf: Option<serde_json::Number>,
    topics: Option<Grants>,
    seat: Option<SeatClaim>,
    bot: Option<bool>,
}

/// How far the clocks of those who sign may be ahead of ours. Only `nbf` is lenient: what is over is over.
const CLOCK_SKEW_SECS: i64 = 5;

impl RawClaims {
    /// Checks every claim, and the time against `now_secs`.
    pub(super) fn check(self, now_secs: i64) -> Result<Claims, TokenError> {
        let role = self.role.ok_or(TokenError::MissingClaim("role"))?;
        let exp = self.exp.ok_or(TokenError::MissingClaim("exp"))?;
        let claims = Claims {
            sub: self.sub.filter(|sub| !sub.is_empty()),
            role: role.parse().map_err(|_| TokenError::BadClaim("role", "is not known here"))?,
            exp: secs(&exp),
            iat: self.iat.as_ref().map_or(0, secs),
            topics: self.topics.unwrap_or_default(),
            seat: self.seat,
            bot: self.bot.unwrap_or_default(),
        };
        if claims.sub.as_deref().is_some_and(|sub| !is_user(sub)) {
            return Err(TokenError::BadClaim("sub", "is too long or has control characters"));
        }
        if claims.topics.is_too_long() {
            return Err(TokenError::BadClaim("topics", "lists too many topics"));
        }
        claims.check_expiry(now_secs)?;
        match self.nbf.as_ref().map_or(0, secs).saturating_sub(now_secs) {
            in_secs if in_secs > CLOCK_SKEW_SECS => Err(TokenError::NotYet { in_secs }),
            _ => Ok(claims),
        }
    }
}

fn is_user(sub: &str) -> bool {
    sub.len() <= Claims::MAX_SUB_BYTES && !sub.chars().any(char::is_control)
}

/// A time as RFC 7519 has it: a number of seconds, which may have a fraction. What is beyond the range is its end.
fn secs(number: &serde_json::Number) -> i64 {
    // The cast of a float saturates, and JSON has no NaN.
    number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or(0.0).floor() as i64)
}
