//! Open files: every session is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that the server needs besides those of sessions: databases, the listener, HTTP connections.
const OTHERS: u64 = 600;

/// Raises this process's limit of open files to the highest that it may have, and says so where that is not enough
/// for so many sessions.
pub(crate) fn allow(sessions: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let wanted = sessions.saturating_add(OTHERS);
    if allowed < wanted {
        tracing::warn!(
            allowed,
            wanted,
            "fewer open files are allowed than realtime.max_connections needs; raise the limit (ulimit -n) or lower it"
        );
    }
}
