//! Who somebody is.

use super::Grants;
use crate::token::{Claims, Role, SeatClaim};
use std::sync::Arc;
use uuid::Uuid;

/// Who somebody is, for the time of a session. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's id: the token's `sub`, else one that was made up for the session.
    pub user: Arc<str>,
    /// What kind of user.
    pub role: Role,
    /// The private topics that are open to them.
    pub grants: Arc<Grants>,
    /// The seat that their token is for, if it is a join token.
    pub seat: Option<Arc<SeatClaim>>,
    /// Whether the id was made up.
    pub anonymous: bool,
    /// Whether their token says that they are a bot.
    pub bot: bool,
}

impl Identity {
    /// Somebody without a token.
    pub fn anonymous() -> Identity {
        Identity {
            user: made_up(Role::Anon),
            role: Role::Anon,
            grants: Arc::default(),
            seat: None,
            anonymous: true,
            bot: false,
        }
    }

    /// Whom a token is about. Where it names nobody, an id is made up.
    pub fn of(claims: &Claims) -> Identity {
        Identity {
            user: claims.sub.as_deref().map_or_else(|| made_up(claims.role), Arc::from),
            role: claims.role,
            grants: Arc::new(claims.topics.clone()),
            seat: claims.seat.clone().map(Arc::new),
            anonymous: claims.sub.is_none(),
            bot: claims.bot,
        }
    }

    /// The same session with another token. Whoever the new token does not name keeps the id that was made up for
    /// them. The seat stays with its user: clients renew tokens without knowing of seats. Grants are the new ones only.
    pub fn renewed(&self, claims: &Claims) -> Identity {
        let mut renewed = Identity::of(claims);
        if renewed.anonymous && self.anonymous && renewed.role == self.role {
            renewed.user = Arc::clone(&self.user);
        }
        if renewed.user == self.user {
            renewed.seat = renewed.seat.or_else(|| self.seat.clone());
        }
        renewed
    }
}

/// Not to be guessed: knowing it opens `user:<id>` to nobody, but it should name one session only.
fn made_up(role: Role) -> Arc<str> {
    let prefix = if role == Role::ServiceRole { "service" } else { "anon" };
    format!("{prefix}-{}", Uuid::new_v4()).into()
}
