//! Why there are no brains.

use std::path::PathBuf;

/// Why the brains of a fleet cannot be made from its settings.
#[derive(Debug, thiserror::Error)]
pub enum BrainsError {
    /// The directory of personas, or a file in it, cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// What cannot be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A persona's file is not as it has to be.
    #[error("{file}:{line}: {problem}")]
    Persona {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key, what is wrong about it, and what is allowed.
        problem: String,
    },
    /// There are too many files, or one is too large.
    #[error("{}: {problem}", path.display())]
    TooMuch {
        /// What is too large.
        path: PathBuf,
        /// What the limit is.
        problem: String,
    },
    /// A bot's persona is none of those that there are.
    #[error("bot `{bot}`: there is no persona `{persona}`; there are {known}")]
    Unknown {
        /// The bot's id.
        bot: String,
        /// The persona that it wants.
        persona: String,
        /// Those that there are.
        known: String,
    },
    /// The settings of the model make no sense.
    #[error("llm.{key}: {problem}")]
    Model {
        /// The setting.
        key: &'static str,
        /// What is wrong about it.
        problem: String,
    },
}
