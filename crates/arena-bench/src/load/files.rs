//! How many files this process, and those it starts, may have open.

use anyhow::ensure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a process needs besides its connections.
const SPARE: u64 = 64;

/// Raises the limit of open files to what the machine allows, for this process and its children, and fails with what
/// to do where that is too little for so many connections.
pub fn raise_file_limit(connections: u64) -> anyhow::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    let files = maximum.unwrap_or(u64::MAX);
    ensure!(
        files >= connections + SPARE,
        "{connections} connections need {} open files in one process, and {files} are allowed: raise the hard limit \
         (`ulimit -Hn`, or nofile in /etc/security/limits.conf) or ask for fewer rooms",
        connections + SPARE
    );
    Ok(())
}
