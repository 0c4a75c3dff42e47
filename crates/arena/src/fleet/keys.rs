//! What bots show: tokens that are signed here where the secret is known, else the key that was given.

use arena_fleet::{Token, TokenSource};
use arena_realtime::token::{Claims, Issuer, Role, unix_now};
use std::sync::Arc;
use std::time::Duration;

/// How long a token is good for. Bots ask for another one before it ends, and a stolen one is of little use.
const TTL: Duration = Duration::from_secs(3_600);

/// Signs tokens for a fleet. Clones share the key.
#[derive(Clone)]
pub(crate) struct Mint {
    issuer: Arc<Issuer>,
}

impl Mint {
    pub(crate) fn new(issuer: Issuer) -> Mint {
        Mint { issuer: Arc::new(issuer) }
    }

    /// What connections are opened with. It names no user: many bots share a connection, and the connections of one user
    /// are limited.
    pub(crate) fn service(&self) -> TokenSource {
        self.source(None, Role::ServiceRole)
    }

    /// A bot's own, which says that it is one.
    pub(crate) fn of_bot(&self, id: &str) -> TokenSource {
        self.source(Some(id), Role::Authenticated)
    }

    /// Signs another one each time, so that each has all of its time before it.
    fn source(&self, user: Option<&str>, role: Role) -> TokenSource {
        let (issuer, user) = (Arc::clone(&self.issuer), user.map(str::to_owned));
        TokenSource::new(move || {
            let ttl = i64::try_from(TTL.as_secs()).unwrap_or(i64::MAX);
            let claims =
                Claims { sub: user.clone(), bot: user.is_some(), ..Claims::of("", role, unix_now(), ttl) };
            Token { text: issuer.issue(&claims).into(), ttl: Some(TTL) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_realtime::token::{KeySet, Secret, Verifier};

    #[test]
    fn bots_are_themselves_and_connections_are_nobodys() {
        let secret = Secret::own(&"k".repeat(Secret::MIN_BYTES)).unwrap();
        let mint = Mint::new(Issuer::new(&secret));
        let verifier = Verifier::new(KeySet::default().with_secret(&secret));
        for (source, sub, role) in [
            (mint.service(), None, Role::ServiceRole),
            (mint.of_bot("bot-ada"), Some("bot-ada"), Role::Authenticated),
        ] {
            let token = source.current();
            let claims = verifier.verify(&token.text, unix_now()).unwrap();
            assert_eq!((claims.sub.as_deref(), claims.role), (sub, role));
            assert_eq!(claims.bot, sub.is_some(), "a bot says what it is");
            let left = Duration::from_secs(claims.ttl_secs(unix_now()));
            assert!(left <= TTL && left + Duration::from_secs(5) > token.ttl.unwrap());
        }
    }
}
