//! Who may come without a token.

use std::net::IpAddr;

/// Who may come without a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AnonymousAccess {
    /// Nobody.
    #[default]
    Never,
    /// Programs on the same machine.
    Loopback,
    /// Everybody.
    Always,
}

/// Where a request comes from, as far as it can be told.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Whether a proxy passed it on: it has a `Forwarded`, `Via` or `X-Forwarded-For` header.
    pub forwarded: bool,
    /// The `Origin` header: browsers say by it which page opened the connection.
    pub origin: Option<&'a str>,
}

impl AnonymousAccess {
    /// Whether this caller needs no token.
    pub fn allows(self, caller: &Caller<'_>) -> bool {
        match self {
            AnonymousAccess::Never => false,
            AnonymousAccess::Loopback => caller.is_local(),
            AnonymousAccess::Always => true,
        }
    }
}

impl Caller<'_> {
    /// Whether it is a program on this machine that speaks for itself. A proxy on this machine speaks for others; and
    /// so does a browser, which lets any page of the web open sockets to this machine, but says which page it was.
    pub fn is_local(&self) -> bool {
        self.peer.to_canonical().is_loopback() && !self.forwarded && self.origin.is_none_or(is_local_origin)
    }
}

fn is_local_origin(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    // Browsers never send names of users in it, and what stands before an `@` is no host.
    if authority.contains('@') {
        return false;
    }
    // Of `[::1]:80` the port is what follows the bracket, of `localhost:80` what follows the colon.
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}
