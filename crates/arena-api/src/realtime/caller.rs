//! Who calls, as far as a request tells.

use crate::server::Peer;
use arena_realtime::Gateway;
use arena_realtime::policy::{Caller, Identity};
use arena_realtime::token::TokenError;
use axum::http::header::{FORWARDED, ORIGIN, VIA};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Uri};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

/// Where a request comes from and what it brings to say who sends it.
pub(super) struct Calling {
    peer: IpAddr,
    forwarded: bool,
    origin: Option<String>,
    /// The token, from a header or the query, if there is one.
    pub(super) token: Result<Option<String>, Unusable>,
}

impl Calling {
    /// As the policy takes it.
    pub(super) fn caller(&self) -> Caller<'_> {
        Caller { peer: self.peer, forwarded: self.forwarded, origin: self.origin.as_deref() }
    }

    /// Who it is by its token, and until when that is good, in seconds since 1970.
    pub(super) fn identify(&self, gateway: &Gateway) -> Result<(Identity, Option<i64>), NotIdentified> {
        let token = self.token.as_ref().map_err(|unusable| *unusable)?;
        Ok(gateway.identify(token.as_deref(), &self.caller())?)
    }

    /// The other end of the connection, as a name.
    pub(super) fn address(&self) -> String {
        format!("anon@{}", self.peer)
    }

    /// Of the head of a request.
    pub(super) fn of(parts: &Parts) -> Calling {
        let headers = &parts.headers;
        let forwarding = [FORWARDED, VIA, HeaderName::from_static("x-forwarded-for")];
        Calling {
            // Without an address it cannot be told, and counts as far away.
            peer: parts.extensions.get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip()),
            forwarded: forwarding.iter().any(|name| headers.contains_key(name)),
            origin: headers.get(ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()).into_owned()),
            token: token_of(headers, &parts.uri),
        }
    }
}

/// Why it cannot be said who calls.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotIdentified {
    /// What it brings is no token.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The token is not acceptable.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// A request brings something to say who sends it, and nobody can be told by that. It is not taken for one that brings
/// nothing: that would be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is in `{0}` is no token: it takes `Bearer` and one, or as an API key the token alone")]
pub(super) struct Unusable(&'static str);

/// The token of a request: `Authorization: Bearer`, else the header `x-api-key` or `apikey`, else `apikey` in the
/// query. One that can be used goes over one that cannot. What is empty is not there: official clients send empty headers
/// where they have no token.
fn token_of(headers: &HeaderMap, uri: &Uri) -> Result<Option<String>, Unusable> {
    let mut unusable = None;
    for name in ["authorization", "x-api-key", "apikey"] {
        for value in headers.get_all(name).iter().filter(|value| !value.as_bytes().trim_ascii().is_empty()) {
            let text = value.to_str().ok().map(str::trim);
            let token = if name == "authorization" { text.and_then(bearer) } else { text };
            match token {
                Some(token) => return Ok(Some(token.to_owned())),
                None => unusable = unusable.or(Some(Unusable(name))),
            }
        }
    }
    match (query_value(uri, "apikey"), unusable) {
        (Some(token), _) => Ok(Some(token.into_owned())),
        (None, Some(unusable)) => Err(unusable),
        (None, None) => Ok(None),
    }
}

/// What stands after `Bearer`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
}

/// A value of the query; the first one if there are several.
pub(super) fn query_value<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn token(uri: &str, headers: &[(&str, &[u8])]) -> Result<Option<String>, Unusable> {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Calling::of(&request.body(()).unwrap().into_parts().0).token
    }

    #[test]
    fn a_token_is_found_wherever_clients_put_it() {
        let found = |uri, headers: &[(&str, &[u8])]| token(uri, headers).unwrap().unwrap();
        assert_eq!(found("/", &[("authorization", b"bearer  t")]), "t");
        assert_eq!(found("/?apikey=q", &[("authorization", b"Bearer t"), ("x-api-key", b"k")]), "t");
        assert_eq!(found("/?apikey=q", &[("apikey", b"k")]), "k");
        assert_eq!(found("/?apikey=q", &[]), "q");
        let proxied: &[(&str, &[u8])] = &[("authorization", b"Basic eA=="), ("apikey", b"k")];
        assert_eq!(found("/", proxied), "k", "one that can be used goes over one that cannot");
        assert_eq!(found("/?apikey=q", &[("authorization", b"Bearer")]), "q");
    }

    #[test]
    fn what_is_there_and_no_token_is_not_taken_for_nothing() {
        let refused = |headers: &[(&str, &[u8])]| token("/", headers).unwrap_err();
        for value in [&b"Basic eA=="[..], b"Bearer", b"Bearer ", b"Bearer \xff", b"t", b"\xff"] {
            assert_eq!(refused(&[("authorization", value)]), Unusable("authorization"), "{value:?}");
        }
        assert_eq!(refused(&[("x-api-key", b"\xff")]), Unusable("x-api-key"));
        for nothing in [&[][..], &[("authorization", &b""[..]), ("apikey", b"")]] {
            assert_eq!(token("/?apikey=", nothing), Ok(None));
        }
    }
}
