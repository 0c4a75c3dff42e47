//! `arena watch`

use clap::Args;

/// What to watch.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The topic: world:CHANNEL, lobby:NAME, user:ID, or any other
    pub topic: String,
    /// Token to show; without one it must be allowed to come without
    #[arg(long, env = "ARENA_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Watch the private topic of this name
    #[arg(long)]
    pub private: bool,
    /// End after so many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}
