//! Why a command did not do what it should.

use super::exit::Exit;
use crate::auth::AuthError;
use crate::client::{BadServerUrl, ClientError};
use crate::config::ConfigError;
use crate::demo::DemoError;
use crate::server::StartError;
use std::io;
use std::path::PathBuf;

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The server refused, or there is none.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// `--server` names none.
    #[error(transparent)]
    BadServerUrl(#[from] BadServerUrl),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server, or the database that `arena migrate` wanted, did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The bot service did not start.
    #[error(transparent)]
    Fleet(#[from] crate::fleet::FleetError),
    /// The keys that tokens are signed with cannot be used.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A token would list more topics than one may.
    #[error("a token can name {max} topics of each kind at most", max = arena_realtime::policy::Grants::MAX_PATTERNS)]
    TooManyTopics,
    /// `arena watch` has nothing to show.
    #[error(transparent)]
    Watch(#[from] crate::watch::WatchError),
    /// `arena demo` failed.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The answer was no.
    #[error("not done")]
    Declined,
    /// Nobody can be asked.
    #[error("there is no terminal to ask on: add --yes to do it, or --dry-run to see the plan")]
    NeedsYes,
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A queue's rules are no rules.
    #[error("{}: {why}", path.display())]
    BadRules {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A simulation that cannot be run.
    #[error("{0}")]
    Simulation(String),
    /// A roster's format cannot be told from its name.
    #[error("{}: say what it is with --format csv or --format json", .0.display())]
    UnknownFormat(PathBuf),
    /// Standard output cannot be written to.
    #[error("standard output: {0}")]
    Output(io::Error),
}

impl CommandError {
    /// The exit code that goes with it.
    pub fn exit(&self) -> Exit {
        match self {
            CommandError::Client(ClientError::Refused(_)) => Exit::Failed,
            CommandError::Client(_) => Exit::CannotTell,
            CommandError::Watch(error) if error.is_unreachable() => Exit::CannotTell,
            CommandError::BadServerUrl(_)
            | CommandError::NeedsYes
            | CommandError::TooManyTopics
            | CommandError::Simulation(_)
            | CommandError::UnknownFormat(_) => Exit::Usage,
            _ => Exit::Failed,
        }
    }

    /// Whether the reader of standard output has seen enough, as `head` does.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, CommandError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
