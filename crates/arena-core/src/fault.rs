//! What can go wrong between us and a world host, sorted once, at the adapter.

/// Four kinds of trouble; only the first two may change what is recorded of a world or a bot.
/// An outage is `Transient` and never looks like a deletion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostFault {
    /// The host is certain that the world no longer exists.
    #[error("the world is gone")]
    WorldGone,
    /// The host is certain that the bot has no body in that world.
    #[error("the bot is not in that world")]
    BotGone,
    /// Unreachable, overloaded, too slow, or an answer that makes no sense: nothing is known, try again.
    #[error("{detail}")]
    Transient {
        /// What happened, for people.
        detail: String,
    },
    /// The host understood and said no.
    #[error("{detail}")]
    Refused {
        /// Stable code, such as `world_full`.
        code: &'static str,
        /// What happened, for people.
        detail: String,
        /// Whether trying again can help.
        retryable: bool,
    },
}

impl HostFault {
    /// Shorthand for [`HostFault::Transient`].
    pub fn transient(detail: impl Into<String>) -> HostFault {
        HostFault::Transient { detail: detail.into() }
    }

    /// What an HTTP status from a host means: only 404 and 410 are a deletion, 408, 429 and every 5xx are an
    /// outage, and any other refusal is final. Redirects and informational answers make no sense here.
    pub fn from_http_status(status: u16, detail: &str) -> HostFault {
        match status {
            404 | 410 => HostFault::WorldGone,
            401 | 403 => {
                HostFault::Refused { code: "unauthorized", detail: detail.to_owned(), retryable: false }
            }
            408 | 429 => HostFault::transient(detail),
            400..=499 => {
                HostFault::Refused { code: "bad_request", detail: detail.to_owned(), retryable: false }
            }
            _ => HostFault::transient(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_never_looks_like_a_deletion() {
        for status in [408, 429, 500, 502, 503, 504, 599, 302, 100] {
            assert!(
                matches!(HostFault::from_http_status(status, "x"), HostFault::Transient { .. }),
                "{status}"
            );
        }
        assert_eq!(HostFault::from_http_status(404, "x"), HostFault::WorldGone);
    }

    #[test]
    fn permission_errors_are_final() {
        let fault = HostFault::from_http_status(403, "key revoked");
        assert!(matches!(fault, HostFault::Refused { retryable: false, .. }));
    }
}
