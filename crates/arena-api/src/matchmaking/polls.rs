//! How many wait for news of tickets, and for how long.

use crate::conversations::wire::Speaker;
use crate::conversations::{Followers, Following};
use crate::problem::Problem;
use crate::server::{Ending, Peer};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// When somebody who found no place should come back.
const COME_BACK_AFTER: Duration = Duration::from_secs(5);

/// Of the time that a request may take, waiting may take so many sixths; the rest is for everything else.
const SIXTHS: u32 = 5;

/// Bounds those who wait. There is no queue: who finds no place is turned away at once.
#[derive(Debug, Clone)]
pub(crate) struct Polls {
    waiting: Followers,
    longest: Duration,
}

impl Polls {
    /// At most `max` at once, within requests that may take so long.
    pub(crate) fn new(max: usize, request_timeout: Duration) -> Polls {
        Polls { waiting: Followers::new(max), longest: request_timeout / 6 * SIXTHS }
    }

    /// The longest wait that ends before its request does.
    pub(super) fn at_most(&self, wished: Duration) -> Duration {
        wished.min(self.longest)
    }

    /// One more who waits.
    pub(super) fn begin(&self, who: &Speaker, from: &From) -> Result<Following, Problem> {
        let begun = self.waiting.begin(who, from.address);
        begun.map_err(|detail| Problem::unavailable("overloaded", detail, COME_BACK_AFTER))
    }
}

/// Where a request comes from, and when its server ends.
pub(super) struct From {
    address: IpAddr,
    pub(super) closing: CancellationToken,
}

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>();
        Ok(From {
            address: peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip()),
            closing: parts.extensions.get::<Ending>().map(Ending::closing).unwrap_or_default(),
        })
    }
}
