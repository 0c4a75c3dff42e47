//! Who calls, as far as a request tells.

use crate::server::Peer;
use arena_realtime::policy::Caller;
use axum::http::header::{AUTHORIZATION, FORWARDED, ORIGIN, VIA};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Uri};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

/// Where a request comes from and what it brings to say who sends it.
pub(super) struct Calling {
    peer: IpAddr,
    forwarded: bool,
    origin: Option<String>,
    /// The token, from a header or the query.
    pub(super) token: Option<String>,
}

impl Calling {
    /// As the policy takes it.
    pub(super) fn caller(&self) -> Caller<'_> {
        Caller { peer: self.peer, forwarded: self.forwarded, origin: self.origin.as_deref() }
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

/// The token of a request: `Authorization: Bearer`, else the header `x-api-key` or `apikey`, else `apikey` in the
/// query.
pub(super) fn token_of(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let key = || ["x-api-key", "apikey"].into_iter().find_map(|name| text(HeaderName::from_static(name)));
    let found = bearer.or_else(key).filter(|token| !token.is_empty());
    found.map(str::to_owned).or_else(|| query_value(uri, "apikey").map(Cow::into_owned))
}

/// A value of the query; the first one if there are several.
pub(super) fn query_value<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}
