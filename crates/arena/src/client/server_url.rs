//! Where the server is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use ureq::http::Uri;

/// The base of the server's URLs: scheme, host, port, perhaps a path; no slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    base: String,
    host: String,
}

/// Text that names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadServerUrl {
    /// TLS is wanted.
    #[error(
        "`{0}`: only http is spoken so far. For a server far away, take an SSH tunnel or a VPN and name its http address"
    )]
    Https(String),
    /// Anything else.
    #[error("`{0}` is no server's URL: it must look like http://127.0.0.1:7700")]
    Malformed(String),
}

impl ServerUrl {
    /// Whether the server is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for ServerUrl {
    type Err = BadServerUrl;

    fn from_str(text: &str) -> Result<Self, BadServerUrl> {
        let malformed = || BadServerUrl::Malformed(text.chars().take(120).collect());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        match (uri.scheme_str(), uri.host(), uri.query()) {
            (Some("https"), _, _) => Err(BadServerUrl::Https(text.to_owned())),
            (Some("http"), Some(host), None) if !host.is_empty() => {
                Ok(ServerUrl { base: text.trim_end_matches('/').to_owned(), host: host.to_owned() })
            }
            _ => Err(malformed()),
        }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_urls_name_a_server() {
        let parse = |text: &str| text.parse::<ServerUrl>();
        assert_eq!(parse("http://arena:7700/").unwrap().to_string(), "http://arena:7700");
        assert!(matches!(parse("https://arena"), Err(BadServerUrl::Https(_))));
        for bad in ["", "arena:7700", "127.0.0.1:7700", "ftp://arena", "http://", "http://arena/?x=1"] {
            assert!(matches!(parse(bad), Err(BadServerUrl::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn loopback_addresses_are_known() {
        for (url, loopback) in [
            ("http://127.0.0.1:7700", true),
            ("http://[::1]:7700", true),
            ("http://localhost", true),
            ("http://10.0.0.1:7700", false),
        ] {
            assert_eq!(url.parse::<ServerUrl>().unwrap().is_loopback(), loopback, "{url}");
        }
    }
}
