//! `arena fleet …`

use super::values::ConfirmArgs;
use crate::config::{Flag, Flags, HiddenText};
use clap::{Args, Subcommand};
use std::convert::Infallible;
use std::path::PathBuf;

/// `arena fleet …`
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Run the bot service until Ctrl-C, against this server or any realtime endpoint
    #[command(after_help = RUN_HELP)]
    Run(Box<FleetRunArgs>),
    /// Show how the bot service is: bots, humans, rates, answers, errors
    Status {
        /// Look again every 2 seconds until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// List each bot: its state, since when, failures in a row, what last went wrong
    Bots {
        /// Only bots in this state
        #[arg(long, value_parser = ["starting", "idle", "talking", "leaving", "reconnecting", "failed"])]
        state: Option<String>,
    },
    /// Start and stop no bots until it is resumed; those that are there go on
    Pause,
    /// Go on after a pause or a drain, or once the endpoint accepts the key again
    Resume,
    /// Have all bots leave, those that talk when they have finished; then pause
    Drain {
        /// Whether to ask.
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
    /// Set how many bots there should be, or `auto`: as many as the humans call for
    Scale {
        /// Bots, or auto
        #[arg(value_name = "N|auto")]
        count: BotCount,
    },
    /// Send a bot into a conversation
    Talk {
        /// The conversation
        conversation: String,
        /// The bot, by its id [default: who has been idle for longest]
        #[arg(long, value_name = "ID")]
        bot: Option<String>,
    },
}

const RUN_HELP: &str = "\
Keys are better kept in the environment, where other users do not see them:
  SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY, SUPABASE_JWT_SECRET, BOT_MIN_COUNT, BOT_MAX_COUNT,
  BOT_TARGET_PERCENTAGE (0.3 or 30), MAINTENANCE_INTERVAL_MS, and every setting as ARENA_FLEET__…
Flags go over the environment, and both over the file.";

/// How many bots are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BotCount {
    /// As many as the humans call for.
    Auto,
    /// So many.
    Bots(u32),
}

impl std::str::FromStr for BotCount {
    type Err = String;

    fn from_str(text: &str) -> Result<BotCount, String> {
        match text.parse() {
            Ok(bots @ 0..=100_000) => Ok(BotCount::Bots(bots)),
            _ if text == "auto" => Ok(BotCount::Auto),
            _ => Err("must be a whole number from 0 to 100000, or auto".to_owned()),
        }
    }
}

/// Arguments of `arena fleet run`.
#[derive(Debug, Clone, Default, Args)]
pub struct FleetRunArgs {
    /// Where bots connect: ws://…, wss://…, or a Supabase project's URL [default: the server of these settings]
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// What bots show when they connect, such as a service role key [default: signed with the secret]
    #[arg(long, value_name = "KEY", value_parser = hidden)]
    pub apikey: Option<HiddenText>,
    /// What the endpoint checks tokens with: gives each bot a token in its own name
    #[arg(long, value_name = "SECRET", value_parser = hidden)]
    pub jwt_secret: Option<HiddenText>,
    /// Topic where humans are counted and bots show themselves [default: lobby:main]
    #[arg(long, value_name = "TOPIC")]
    pub lobby: Option<String>,
    /// Queue of the matchmaker in which idle bots wait for humans; may be repeated [default: none]
    #[arg(long, value_name = "NAME")]
    pub queue: Vec<String>,
    /// Bots when nobody is there [default: 3]
    #[arg(long, value_name = "N")]
    pub min: Option<String>,
    /// Bots at most [default: 15]
    #[arg(long, value_name = "N")]
    pub max: Option<String>,
    /// Bots for each hundred humans [default: 30]
    #[arg(long, value_name = "N")]
    pub percent: Option<String>,
    /// Exactly so many bots, whoever is there
    #[arg(long, value_name = "N", conflicts_with_all = ["min", "max", "percent"])]
    pub count: Option<String>,
    /// Who the bots are: a JSON file [default: the roster that is built in]
    #[arg(long, value_name = "FILE")]
    pub roster: Option<String>,
    /// Directory of personas besides those that are built in
    #[arg(long, value_name = "DIR")]
    pub personas: Option<String>,
    /// How bots are started: staggered or adaptive [default: staggered]
    #[arg(long, value_name = "MODE")]
    pub start: Option<String>,
    /// Address and port where the bot service answers [default: 127.0.0.1:7710]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// TOML file with settings [default: ./arena.toml if it exists]
    #[arg(long, value_name = "FILE", env = "ARENA_CONFIG", hide_env_values = true)]
    #[arg(help_heading = "Settings (the rest: arena config show)")]
    pub config: Option<PathBuf>,
    /// Directory of the server's secret, where bots connect to this server [default: ./data]
    #[arg(long, value_name = "DIR", help_heading = "Settings (the rest: arena config show)")]
    pub data_dir: Option<String>,
    /// How much is logged: error, warn, info, debug or trace [default: info]
    #[arg(long, value_name = "LEVEL", help_heading = "Settings (the rest: arena config show)")]
    pub log: Option<String>,
}

impl FleetRunArgs {
    /// The settings among them.
    pub fn flags(&self) -> Flags {
        let open = |text: &Option<String>| text.clone().map(HiddenText::new);
        let queues = (!self.queue.is_empty()).then(|| self.queue.join(","));
        let more = [
            ("--endpoint", "endpoint", open(&self.endpoint)),
            ("--apikey", "apikey", self.apikey.clone()),
            ("--jwt-secret", "jwt_secret", self.jwt_secret.clone()),
            ("--lobby", "lobby", open(&self.lobby)),
            ("--queue", "queues", open(&queues)),
            ("--min", "min", open(&self.min)),
            ("--max", "max", open(&self.max)),
            ("--percent", "target_percent", open(&self.percent)),
            ("--count", "min", open(&self.count)),
            ("--count", "max", open(&self.count)),
            ("--roster", "roster", open(&self.roster)),
            ("--personas", "personas", open(&self.personas)),
            ("--start", "start", open(&self.start)),
            ("--listen", "listen", open(&self.listen)),
        ];
        let flag = |(name, key, value): (&'static str, &'static str, Option<HiddenText>)| {
            Some(Flag { name, section: "fleet", key, value: value? })
        };
        Flags {
            data_dir: self.data_dir.clone(),
            log: self.log.clone(),
            more: more.into_iter().filter_map(flag).collect(),
            bot_variables: true,
            ..Flags::default()
        }
    }
}

/// Any text; that it is a key is checked with all other settings.
fn hidden(text: &str) -> Result<HiddenText, Infallible> {
    Ok(HiddenText::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_number_or_auto() {
        assert_eq!("0".parse(), Ok(BotCount::Bots(0)));
        assert_eq!("auto".parse(), Ok(BotCount::Auto));
        for wrong in ["", "-1", "100001", "Auto", "1.5"] {
            assert!(wrong.parse::<BotCount>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_in_no_debug_output() {
        let args = FleetRunArgs {
            apikey: hidden("s3cret-key").ok(),
            jwt_secret: hidden("s3cret-secret").ok(),
            ..FleetRunArgs::default()
        };
        let flags = args.flags();
        assert_eq!(flags.more.len(), 2);
        assert!(!format!("{args:?} {flags:?}").contains("s3cret"));
    }
}
