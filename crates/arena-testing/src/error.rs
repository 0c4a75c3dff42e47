use std::io;
use std::time::Duration;

/// Why a throw-away server or database could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A program that must be installed is not there.
    #[error("{program} is not installed; {hint}")]
    NotInstalled {
        /// The program that was looked for.
        program: &'static str,
        /// How to install it.
        hint: &'static str,
    },
    /// PostgreSQL is installed, but only in versions that Arena does not support.
    #[error("PostgreSQL {found} is installed, but Arena needs {needed} or newer; {hint}")]
    TooOld {
        /// The newest major version found.
        found: u32,
        /// The oldest major version that will do.
        needed: u32,
        /// How to install a newer one.
        hint: &'static str,
    },
    /// The operating system refused something.
    #[error("could not {action}")]
    Io {
        /// What was being done.
        action: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// The program.
        program: String,
        /// What it printed.
        output: String,
    },
    /// A server did not answer in time.
    #[error("{server} did not answer within {} s; its log ends:\n{log}", waited.as_secs())]
    NotReady {
        /// The server.
        server: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// The last lines of its log.
        log: String,
    },
    /// A URL that does not name a PostgreSQL server.
    #[error("not a PostgreSQL URL with a host and a database: {url:?}")]
    BadUrl {
        /// The URL as given.
        url: String,
    },
}

impl ServerError {
    /// For `map_err`: adds what was being done to the operating system's answer.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> ServerError {
        let action = action.into();
        move |source| ServerError::Io { action, source }
    }
}
