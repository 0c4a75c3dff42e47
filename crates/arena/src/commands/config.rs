//! `arena config …`

use super::error::CommandError;
use super::screen::Screen;
use crate::cli::ConfigCommand;
use crate::config::{defaults_as_toml, effective_as_json, effective_as_toml, load};
use crate::progress::say;

pub(super) fn run(screen: &Screen, command: ConfigCommand) -> Result<(), CommandError> {
    match command {
        ConfigCommand::Show { defaults: true, .. } => screen.write(&defaults_as_toml()),
        ConfigCommand::Show { defaults: false, args } => {
            let loaded = load(args.config.as_deref(), &args.flags())?;
            let text = if screen.is_json() { effective_as_json(&loaded) } else { effective_as_toml(&loaded) };
            screen.write(&text)
        }
        ConfigCommand::Check(args) => {
            load(args.config.as_deref(), &args.flags())?;
            say("the configuration is fine");
            Ok(())
        }
    }
}
