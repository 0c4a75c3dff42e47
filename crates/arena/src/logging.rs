//! Logging, to standard error.

use crate::config::{LogConfig, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging at the configured level. SQL statements are logged only where every detail is wanted.
pub fn start(config: &LogConfig) {
    let level = config.level.as_str();
    let filter = if level == "trace" { level.to_owned() } else { format!("{level},sqlx=error") };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start in one process keeps the first one.
    let _ = match config.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
