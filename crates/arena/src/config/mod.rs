//! The settings of the server: what they are, where they come from, and whether they make sense.
//!
//! A value is looked for in this order, and the first place that has it wins: flag, environment variable, file,
//! default. Everything is checked before anything starts, and all that is wrong is said at once.

mod bot_variables;
mod check;
mod conversations;
mod error;
mod file;
mod fleet;
mod keys;
mod layers;
mod matchmaking;
mod realtime;
mod redact;
mod sections;
mod show;
mod value;

pub use conversations::{ConversationsConfig, Talk};
pub use error::{ConfigError, ConfigProblem};
pub use fleet::{FleetConfig, FleetStart};
pub use keys::{KEYS, Key};
pub use layers::{Flag, Flags, Loaded, Setting, Source};
pub use matchmaking::MatchmakingConfig;
pub use realtime::{Anonymous, AuthConfig, RealtimeConfig};
pub use redact::{DatabaseUrl, HiddenText};
pub use sections::{
    ChannelsConfig, Config, DatabaseConfig, HealthConfig, LogConfig, LogFormat, LogLevel, ServerConfig,
    SyncConfig, WorldsConfig,
};
pub use show::{defaults_as_toml, effective_as_json, effective_as_toml};
pub use value::Rule;

use std::path::{Path, PathBuf};

/// The file that is read when none is named, if it exists.
pub const DEFAULT_FILE: &str = "arena.toml";

/// Reads the file (`file`, or [`DEFAULT_FILE`] where it exists), the process's environment and the flags.
pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Loaded, ConfigError> {
    let path = file.map(Path::to_path_buf).or_else(default_file);
    let text = match path {
        None => None,
        Some(path) => match std::fs::read_to_string(&path) {
            Ok(text) => Some((path, text)),
            Err(error) => return Err(ConfigError::unreadable(path, &error)),
        },
    };
    layers::load_from(text, std::env::vars_os(), flags)
}

fn default_file() -> Option<PathBuf> {
    let path = PathBuf::from(DEFAULT_FILE);
    path.exists().then_some(path)
}
