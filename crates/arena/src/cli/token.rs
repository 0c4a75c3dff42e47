//! `arena token …`

use super::ConfigArgs;
use super::values::secs;
use arena_realtime::policy::TopicPattern;
use arena_realtime::token::Role;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

/// `arena token …`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Sign a token and print it; needs no server, only its data directory or its secret
    Create(Box<TokenArgs>),
}

/// What a token says.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Whose token it is; every session of a token without a user is somebody else
    #[arg(long, value_name = "ID", value_parser = user, required_unless_present = "role")]
    pub user: Option<String>,
    /// What kind of user; service_role is for services, to which private topics are open
    #[arg(long, value_parser = role(), default_value = "authenticated")]
    pub role: Role,
    /// The user is a bot: matchmaking takes it for one, whatever it says of itself
    #[arg(long)]
    pub bot: bool,
    /// How long it is good for: a number and s, m, h or d
    #[arg(long, value_name = "TIME", value_parser = secs, default_value = "1h")]
    pub ttl: i64,
    /// Private topic that may be read; `room:*` is all that begin so. Can be given several times
    #[arg(long, value_name = "TOPIC", value_parser = topic)]
    pub topics_read: Vec<TopicPattern>,
    /// Private topic that may be written to
    #[arg(long, value_name = "TOPIC", value_parser = topic)]
    pub topics_write: Vec<TopicPattern>,
    /// Private topic that one may be present in
    #[arg(long, value_name = "TOPIC", value_parser = topic)]
    pub topics_presence: Vec<TopicPattern>,
    /// Where settings come from.
    #[command(flatten)]
    pub config: ConfigArgs,
}

fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str))
        .map(|text| text.parse::<Role>().expect("invariant: possible values are roles"))
}

/// A user's id, within what tokens may say.
fn user(text: &str) -> Result<String, String> {
    let max = arena_realtime::token::Claims::MAX_SUB_BYTES;
    if (1..=max).contains(&text.len()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be 1 to {max} bytes without control characters"))
    }
}

fn topic(text: &str) -> Result<TopicPattern, String> {
    text.parse().map_err(|error: arena_realtime::policy::BadPattern| error.to_string())
}
