//! URLs of endpoints, in all the ways in which people write them.

use crate::token::TokenSource;
use arena_realtime::codec::Vsn;
use reqwest::Url;
use std::fmt;
use std::sync::Arc;

/// What clients append to the URL that they are given.
const WEBSOCKET: &str = "/websocket";
/// Where a Supabase project has its realtime service.
const SUPABASE_PATH: &str = "/realtime/v1";
/// Where our gateway has its own.
const OUR_PATH: &str = "/socket";
/// Hosts of Supabase projects end with one of these.
const SUPABASE_HOSTS: [&str; 2] = [".supabase.co", ".supabase.in"];

/// An endpoint of the realtime protocol, with the key that opens connections to it.
#[derive(Clone)]
pub struct Endpoint {
    secure: bool,
    /// As in URLs: an IPv6 address stands in brackets.
    host: String,
    port: u16,
    /// The path, and what else the query of the URL had.
    path: String,
    query: Option<String>,
    key: Option<TokenSource>,
    vsn: Vsn,
}

/// Why a URL names no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is none.
    #[error("the endpoint is no URL: {0}")]
    Malformed(String),
    /// Its scheme is another.
    #[error("the endpoint begins with {0}://; ws, wss, http and https are known")]
    Scheme(String),
    /// It names no host.
    #[error("the endpoint names no host")]
    NoHost,
    /// It has a user or a password, which nobody would be shown.
    #[error("the endpoint has a user or a password in it; give the key as the API key")]
    UserInfo,
    /// The key cannot be sent as a header.
    #[error("the API key has characters that no header can carry")]
    BadKey,
}

impl Endpoint {
    /// The endpoint of a URL: `ws`, `wss`, or `http` and `https` for them. Without a path it is our gateway's
    /// (`/socket/websocket`), or, on a host of Supabase, the project's (`/realtime/v1/websocket`); `/websocket` is appended
    /// where it is missing. An `apikey` in the query is the key if no other is given.
    pub fn parse(url: &str, key: Option<&str>) -> Result<Endpoint, EndpointError> {
        let url = Url::parse(url.trim()).map_err(|error| EndpointError::Malformed(error.to_string()))?;
        let secure = match url.scheme() {
            "wss" | "https" => true,
            "ws" | "http" => false,
            other => return Err(EndpointError::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(EndpointError::NoHost)?.to_owned();
        let (query, key_in_query) = split_query(&url);
        let key = key.map(str::to_owned).or(key_in_query).filter(|key| !key.is_empty());
        // Anything else would end the header before its time.
        if key.as_deref().is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(EndpointError::BadKey);
        }
        Ok(Endpoint {
            secure,
            port: url.port().unwrap_or(if secure { 443 } else { 80 }),
            path: path_of(&url, &host),
            host,
            query,
            key: key.as_deref().map(TokenSource::fixed),
            vsn: Vsn::V2,
        })
    }

    /// The realtime endpoint of a Supabase project (SUPABASE_URL), hosted or not: a URL without a path means the project's.
    pub fn of_supabase(url: &str, key: Option<&str>) -> Result<Endpoint, EndpointError> {
        let mut endpoint = Endpoint::parse(url, key)?;
        let named = Url::parse(url.trim()).is_ok_and(|url| url.path().trim_matches('/').is_empty());
        if named {
            endpoint.path = format!("{SUPABASE_PATH}{WEBSOCKET}");
        }
        Ok(endpoint)
    }

    /// The same, spoken in this version; 2.0.0 if nothing is said.
    pub fn vsn(mut self, vsn: Vsn) -> Endpoint {
        self.vsn = vsn;
        self
    }

    /// Whether it is reached through TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The version that is spoken.
    pub fn spoken(&self) -> Vsn {
        self.vsn
    }

    /// The same, with a key that is asked for at every connect: one that ends is renewed so.
    pub fn keyed(mut self, key: TokenSource) -> Endpoint {
        self.key = Some(key);
        self
    }

    /// Whether it is our gateway, as far as the path tells: then there is our REST on the same host.
    pub fn is_ours(&self) -> bool {
        self.path == format!("{OUR_PATH}{WEBSOCKET}")
    }

    /// The URL of the same host without a path, `http` or `https`.
    pub fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    pub(super) fn key(&self) -> Option<Arc<str>> {
        self.key.as_ref().map(|key| key.current().text)
    }

    /// The URL of a handshake. The key is not in it: URLs end in logs.
    pub(super) fn handshake_url(&self) -> String {
        let vsn = match self.vsn {
            Vsn::V1 => "1.0.0",
            Vsn::V2 => "2.0.0",
        };
        let more = self.query.as_ref().map(|query| format!("{query}&")).unwrap_or_default();
        format!("{self}?{more}vsn={vsn}")
    }
}

/// Without the key, and without what else is in the query.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.secure { ("wss", 443) } else { ("ws", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != usual {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// The query without what is ours to say, and the key in it.
fn split_query(url: &Url) -> (Option<String>, Option<String>) {
    let mut key = None;
    let mut rest = reqwest::Url::parse("ws://rest").ok();
    for (name, value) in url.query_pairs() {
        match &*name {
            "apikey" => key = Some(value.into_owned()),
            "vsn" => {}
            _ => {
                if let Some(rest) = &mut rest {
                    rest.query_pairs_mut().append_pair(&name, &value);
                }
            }
        }
    }
    (rest.and_then(|rest| rest.query().map(str::to_owned)), key)
}

fn path_of(url: &Url, host: &str) -> String {
    let path = url.path().trim_end_matches('/');
    if path.ends_with(WEBSOCKET) {
        return path.to_owned();
    }
    let base = match path {
        "" if SUPABASE_HOSTS.iter().any(|ending| host.ends_with(ending)) => SUPABASE_PATH,
        "" => OUR_PATH,
        path => path,
    };
    format!("{base}{WEBSOCKET}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_an_endpoint_is_understood() {
        for (written, meant) in [
            ("http://127.0.0.1:7700", "ws://127.0.0.1:7700/socket/websocket"),
            ("http://127.0.0.1:7700/", "ws://127.0.0.1:7700/socket/websocket"),
            ("ws://arena.example/socket", "ws://arena.example/socket/websocket"),
            ("ws://arena.example/socket/websocket", "ws://arena.example/socket/websocket"),
            ("https://arena.example:443", "wss://arena.example/socket/websocket"),
            ("https://abc.supabase.co", "wss://abc.supabase.co/realtime/v1/websocket"),
            ("wss://abc.supabase.co/realtime/v1", "wss://abc.supabase.co/realtime/v1/websocket"),
            ("wss://abc.supabase.co/realtime/v1/websocket/", "wss://abc.supabase.co/realtime/v1/websocket"),
            (" ws://[::1]:7700 ", "ws://[::1]:7700/socket/websocket"),
            ("wss://h/base/realtime/v1?log_level=info", "wss://h/base/realtime/v1/websocket"),
        ] {
            assert_eq!(Endpoint::parse(written, None).unwrap().to_string(), meant, "{written}");
        }
        assert_eq!(Endpoint::parse("ws://[::1]:7700", None).unwrap().host(), "::1");
    }

    #[test]
    fn a_project_that_hosts_itself_is_one_too() {
        let local = Endpoint::of_supabase("http://127.0.0.1:54321", Some("k")).unwrap();
        assert_eq!(local.to_string(), "ws://127.0.0.1:54321/realtime/v1/websocket");
        let other = Endpoint::of_supabase("http://127.0.0.1:4000/socket", None).unwrap();
        assert_eq!(other.to_string(), "ws://127.0.0.1:4000/socket/websocket");
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        let of = |url| Endpoint::parse(url, None).unwrap_err();
        assert!(matches!(of("arena"), EndpointError::Malformed(_)));
        assert_eq!(of("ftp://arena"), EndpointError::Scheme("ftp".to_owned()));
        assert_eq!(of("ws://me:secret@arena"), EndpointError::UserInfo);
        assert_eq!(Endpoint::parse("ws://a", Some("a\r\nb")).unwrap_err(), EndpointError::BadKey);
    }

    #[test]
    fn a_key_that_ends_is_asked_for_each_time() {
        let count = std::sync::atomic::AtomicU32::new(0);
        let key = TokenSource::new(move || {
            let text = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
            crate::token::Token { text: text.into(), ttl: None }
        });
        let endpoint = Endpoint::parse("ws://a", Some("old")).unwrap().keyed(key);
        assert_eq!([endpoint.key().unwrap(), endpoint.key().unwrap()].map(|key| key.to_string()), ["0", "1"]);
    }

    #[test]
    fn our_gateway_has_rest_beside_it() {
        let ours = Endpoint::parse("ws://[::1]:7700", None).unwrap();
        assert!(ours.is_ours());
        assert_eq!(ours.origin(), "http://[::1]:7700");
        let theirs = Endpoint::parse("https://abc.supabase.co", None).unwrap();
        assert!(!theirs.is_ours());
        assert_eq!(theirs.origin(), "https://abc.supabase.co:443");
    }

    #[test]
    fn the_key_is_shown_nowhere() {
        let endpoint = Endpoint::parse("ws://a/socket?apikey=s3cret&log_level=info&vsn=9", None).unwrap();
        assert_eq!(endpoint.key().as_deref(), Some("s3cret"));
        assert_eq!(endpoint.handshake_url(), "ws://a/socket/websocket?log_level=info&vsn=2.0.0");
        for shown in [format!("{endpoint}"), format!("{endpoint:?}"), endpoint.handshake_url()] {
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        assert_eq!(Endpoint::parse("ws://a?apikey=x", Some("y")).unwrap().key().as_deref(), Some("y"));
    }
}
