//! Where settings come from, and looking at them.

use crate::config::Flags;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Where settings come from. Not to be mistaken for the settings, [`crate::config::Config`].
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings (the rest: arena config show)")]
pub struct ConfigArgs {
    /// TOML file with settings [default: ./arena.toml if it exists]
    #[arg(long, value_name = "FILE", env = "ARENA_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:7700]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Directory of the SQLite file [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Database, sqlite: or postgres:// [default: the SQLite file]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// How much is logged: error, warn, info, debug or trace [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<String>,
}

impl ConfigArgs {
    /// The settings among them.
    pub fn flags(&self) -> Flags {
        Flags {
            listen: self.listen.clone(),
            data_dir: self.data_dir.clone(),
            database_url: self.database_url.clone(),
            log: self.log.clone(),
            ..Flags::default()
        }
    }
}

/// `arena config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings in force as TOML, each explained, marked where it is not the default
    Show {
        /// Only the defaults: a file to start from
        #[arg(long)]
        defaults: bool,
        /// Where settings come from.
        #[command(flatten)]
        args: ConfigArgs,
    },
    /// Check the settings and start nothing
    Check(ConfigArgs),
}
