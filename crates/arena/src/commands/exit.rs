//! Exit codes. `arena --help` and docs/cli.md list them.

use std::process::ExitCode;

/// How a command ended, where it did not simply succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Help or a version was asked for.
    Done,
    /// Refused by the server, failed, or answered with no.
    Failed,
    /// Wrong usage.
    Usage,
    /// No server answers, or what answers is not Arena.
    CannotTell,
}

impl Exit {
    pub(super) fn of_clap(error: &clap::Error) -> Exit {
        if error.exit_code() == 0 { Exit::Done } else { Exit::Usage }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::CannotTell => 3,
        })
    }
}
