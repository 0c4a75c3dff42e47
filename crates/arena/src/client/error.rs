//! Why a request came to nothing.

use super::server_url::ServerUrl;
use crate::render::clean;
use serde::Deserialize;
use std::fmt;
use std::io;

/// The server's refusal: RFC 9457 problem+json.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// Stable name of the refusal.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
    /// Whether the same request may work later.
    #[serde(default)]
    pub retryable: bool,
    /// The request, as the server's log names it.
    pub request_id: Option<String>,
    /// When it may work, where the server knows.
    pub retry_after_ms: Option<u64>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  code {} ({})", clean(&self.detail), clean(&self.code), self.status)?;
        if let Some(id) = &self.request_id {
            write!(f, ", request {}", clean(id))?;
        }
        match self.retry_after_ms {
            Some(ms) => write!(f, "\n  this passes: try again in {} s", ms.div_ceil(1_000).max(1)),
            None if self.retryable => f.write_str("\n  this may pass: try again in a moment"),
            None => Ok(()),
        }
    }
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server said no.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// No connection, or none that held.
    #[error(
        "no server answers at {server} ({why})\n  start it with `arena serve`, or name another with --server or \
         ARENA_SERVER"
    )]
    Unreachable {
        /// Where it was looked for.
        server: ServerUrl,
        /// What the system said.
        why: String,
        /// The transport's error.
        source: Box<ureq::Error>,
    },
    /// A connection, but no answer in time.
    #[error(
        "{server} did not answer in time\n  it may still do what was asked; see how it is with `arena channels health`"
    )]
    TimedOut {
        /// The server.
        server: ServerUrl,
    },
    /// Something answered that does not speak Arena's API.
    #[error(
        "{server} gave an answer that is not Arena's ({why})\n  is it an Arena server, and of this version?"
    )]
    NotArena {
        /// The server.
        server: ServerUrl,
        /// What is odd about the answer.
        why: String,
    },
}

impl ClientError {
    pub(super) fn of_transport(server: &ServerUrl, error: ureq::Error) -> ClientError {
        let server = server.clone();
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                ClientError::Unreachable {
                    server,
                    why: "no connection in time".to_owned(),
                    source: Box::new(error),
                }
            }
            ureq::Error::Timeout(_) => ClientError::TimedOut { server },
            ureq::Error::Protocol(_)
            | ureq::Error::LargeResponseHeader(..)
            | ureq::Error::BodyExceedsLimit(_) => ClientError::NotArena { server, why: error.to_string() },
            error => ClientError::Unreachable { server, why: why(&error), source: Box::new(error) },
        }
    }
}

fn why(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
                "the connection broke".to_owned()
            }
            _ => error.to_string(),
        },
        error => error.to_string(),
    }
}
