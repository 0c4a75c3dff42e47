//! The command line: what can be typed. What it does is in [`crate::commands`].

mod activity;
mod bots;
mod budgets;
mod channels;
mod config;
mod conversations;
mod fleet;
mod matchmaking;
mod serve;
mod token;
mod values;
mod watch;
mod worlds;

pub use activity::{ActivityCommand, ActivityFilter};
pub use bots::{BotFilter, BotRef, BotsCommand, RosterFormat};
pub use budgets::{BudgetsCommand, SetArgs};
pub use channels::{ChannelFilter, ChannelsCommand, ConfigureArgs, CreateArgs, HealthArgs, SettableStatus};
pub use config::{ConfigArgs, ConfigCommand};
pub use conversations::{
    AllowArgs, ConversationFilter, ConversationsCommand, CreateConversationArgs, LogArgs, SayArgs, TopUpArgs,
};
pub use fleet::{BotCount, FleetCommand, FleetRunArgs};
pub use matchmaking::{MatchCommand, MatchFilter, SimulateArgs, TicketFilter};
pub use serve::{DemoArgs, ServeArgs};
pub use token::{TokenArgs, TokenCommand};
pub use values::{ConfirmArgs, Output, PagingArgs};
pub use watch::WatchArgs;
pub use worlds::{DiscoverArgs, WorldsCommand};

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{ArgAction, Parser, Subcommand};
use clap_complete::Shell;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    refused by the server, failed, or answered with no
  2    wrong usage; also a destructive command without --yes where nobody can be asked
  3    no server answers, or what answers is not Arena
  130  interrupted
`arena channels health` has its own: 0 healthy, 1 warning, 2 critical, 3 cannot tell.";

/// Bots and players in many self-healing worlds
#[derive(Debug, Parser)]
#[command(name = "arena", version, styles = STYLES, max_term_width = 100, after_help = EXIT_CODES)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    disable_help_flag = true
)]
pub struct Cli {
    /// Server to talk to
    #[arg(long, global = true, value_name = "URL", env = "ARENA_SERVER", hide_env_values = true)]
    #[arg(default_value = "http://127.0.0.1:7700", help_heading = "Global options")]
    pub server: String,

    /// Tables for people, or the server's JSON for programs
    #[arg(long, global = true, value_name = "FORMAT", env = "ARENA_OUTPUT", hide_env_values = true)]
    #[arg(value_enum, default_value_t = Output::Table, help_heading = "Global options")]
    pub output: Output,

    // Always the short form: there is no longer text to show.
    /// Print help
    #[arg(long, short, global = true, action = ArgAction::HelpShort, help_heading = "Global options")]
    help: Option<bool>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(ServeArgs),
    /// Run the server, fill it with bots, wipe all worlds and watch them heal
    Demo(DemoArgs),
    /// Bring the database up to date and exit
    Migrate(ConfigArgs),
    /// Channels: the slots that bots are assigned to
    #[command(subcommand)]
    Channels(ChannelsCommand),
    /// Worlds: the simulations that run for channels
    #[command(subcommand)]
    Worlds(WorldsCommand),
    /// Bots: who lives in the worlds
    #[command(subcommand)]
    Bots(BotsCommand),
    /// Conversations: logs of messages with budgets
    #[command(subcommand)]
    Conversations(ConversationsCommand),
    /// Budgets that several conversations share
    #[command(subcommand)]
    Budgets(BudgetsCommand),
    /// Matchmaking: who waits for whom, and who met
    #[command(subcommand)]
    Match(MatchCommand),
    /// The bot service: bots that connect as clients do
    #[command(subcommand)]
    Fleet(FleetCommand),
    /// Show a topic live: a world, a lobby, a conversation
    Watch(WatchArgs),
    /// What happened, when, and who did it
    #[command(subcommand)]
    Activity(ActivityCommand),
    /// Tokens: what clients show to say who they are
    #[command(subcommand)]
    Token(TokenCommand),
    /// The server's settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a shell's completion script
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

const COMPLETIONS_HELP: &str = "\
Install:
  bash  arena completions bash > ~/.local/share/bash-completion/completions/arena
  zsh   arena completions zsh > \"${fpath[1]}/_arena\"
  fish  arena completions fish > ~/.config/fish/completions/arena.fish";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_is_in_the_reference() {
        let reference = include_str!("../../../../docs/cli.md");
        let mut missing = Vec::new();
        check(&Cli::command(), "arena", reference, &mut missing);
        assert!(missing.is_empty(), "not in docs/cli.md: {missing:#?}");
    }

    fn check(command: &clap::Command, path: &str, reference: &str, missing: &mut Vec<String>) {
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name());
            if !reference.contains(&path) {
                missing.push(path.clone());
            }
            check(sub, &path, reference, missing);
        }
        for option in command.get_arguments().filter_map(clap::Arg::get_long) {
            if !reference.contains(&format!("--{option}")) {
                missing.push(format!("{path} --{option}"));
            }
        }
    }
}
