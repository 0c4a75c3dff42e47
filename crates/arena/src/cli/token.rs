//! `arena token …`

use super::ConfigArgs;
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
    /// How long it is good for: a number and s, m, h or d
    #[arg(long, value_name = "TIME", value_parser = ttl, default_value = "1h")]
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

/// A length of time in seconds, up to ten years.
fn ttl(text: &str) -> Result<i64, String> {
    const MAX: i64 = 10 * 365 * 86_400;
    let wrong = || "must be a number and s, m, h or d, such as 30m, at most 3650d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    let number = number.parse::<u32>().map(i64::from).map_err(|_| wrong())?;
    Some(number * factor).filter(|secs| (1..=MAX).contains(secs)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_a_number_and_a_unit() {
        for (text, secs) in [("1s", 1), ("30m", 1_800), ("1h", 3_600), ("3650d", 315_360_000)] {
            assert_eq!(ttl(text), Ok(secs), "{text}");
        }
        for bad in ["", "1", "h", "0h", "-1h", "1.5h", "3651d", "1 h", "1ü", "99999999999d"] {
            assert!(ttl(bad).is_err(), "{bad}");
        }
    }
}
