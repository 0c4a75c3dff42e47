//! What each command does: ask the server, print what it says, and leave with the right exit code.

mod activity;
mod bots;
mod budgets;
mod channels;
mod config;
mod confirm;
mod conversations;
mod error;
mod exit;
mod fleet;
mod health;
mod lists;
mod log;
mod matchmaking;
mod screen;
mod simulate;
mod token;
mod watch;
mod watching;
mod worlds;

pub use error::CommandError;
pub use exit::Exit;

use crate::cli::{BotRef, ChannelsCommand, Cli, Command, ConfigArgs, DemoArgs, MatchCommand};
use crate::client::wire::Bot;
use crate::client::{ApiPath, Client};
use crate::config::Config;
use crate::demo::DemoOptions;
use crate::progress::say;
use clap::{CommandFactory, Parser};
use screen::Screen;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command line, the program's name first.
pub fn run(args: Vec<OsString>) -> ExitCode {
    let words = args.clone();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            // Monitors read `channels health` by its exit code, where clap's 2 would say "critical".
            let about_health = ["channels", "health"].iter().all(|word| words.iter().any(|arg| arg == word));
            return match Exit::of_clap(&error) {
                Exit::Usage if about_health => Exit::CannotTell.into(),
                exit => exit.into(),
            };
        }
    };
    let about_health = matches!(cli.command, Command::Channels(ChannelsCommand::Health(_)));
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            let exit = if about_health { Exit::CannotTell } else { error.exit() };
            exit.into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, CommandError> {
    let screen = Screen::new(cli.output);
    let session = || -> Result<Session, CommandError> {
        Ok(Session { client: Client::new(cli.server.parse()?), screen })
    };
    match cli.command {
        Command::Serve(args) => {
            let loaded = crate::config::load(args.config.config.as_deref(), &args.flags())?;
            Ok(crate::serve::run(loaded.config)?)
        }
        Command::Demo(args) => demo(args),
        Command::Migrate(args) => Ok(crate::migrate::run(load(&args)?)?),
        Command::Channels(command) => channels::run(&session()?, command),
        Command::Worlds(command) => worlds::run(&session()?, command).map(done),
        Command::Bots(command) => bots::run(&session()?, command).map(done),
        Command::Conversations(command) => conversations::run(&session()?, command).map(done),
        Command::Budgets(command) => budgets::run(&session()?, command).map(done),
        Command::Match(MatchCommand::Simulate(args)) => simulate::run(&screen, &args).map(done),
        Command::Match(command) => matchmaking::run(&session()?, command).map(done),
        Command::Fleet(command) => fleet::run(&session()?, command),
        Command::Watch(args) => watch::run(&session()?, args).map(done),
        Command::Activity(command) => activity::run(&session()?, command).map(done),
        Command::Token(command) => token::run(&screen, command).map(done),
        Command::Config(command) => config::run(&screen, command).map(done),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "arena", &mut script);
            screen.write(&String::from_utf8_lossy(&script)).map(done)
        }
    }
}

/// The server to talk to, and where to print what it says.
struct Session {
    client: Client,
    screen: Screen,
}

impl Session {
    /// Where a bot is; its id is asked for where only its name is given.
    fn bot_path(&self, bot: &BotRef) -> Result<ApiPath, CommandError> {
        Ok(ApiPath::new("bots").segment(self.bot_id(bot)?))
    }

    fn bot_id(&self, bot: &BotRef) -> Result<String, CommandError> {
        if let BotRef::Id(id) = bot {
            return Ok(id.to_string());
        }
        let found = self.client.get(&ApiPath::new("bots").segment(bot))?;
        Ok(found.parse::<Bot>()?.id)
    }
}

fn demo(args: DemoArgs) -> Result<ExitCode, CommandError> {
    let config = load(&args.config)?;
    let options = DemoOptions { bots: args.bots, exit: args.exit, roster: args.roster };
    Ok(crate::demo::run(config, options)?)
}

fn load(args: &ConfigArgs) -> Result<Config, CommandError> {
    Ok(crate::config::load(args.config.as_deref(), &args.flags())?.config)
}

fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}
