//! Arguments that several commands have.

use crate::client::Pages;
use arena_core::channel::ChannelKind;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// How much of a list.
#[derive(Debug, Args)]
pub struct PagingArgs {
    /// Items on a page, 1 to 1000 [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
    /// Begin where a page before ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// All pages
    #[arg(long)]
    all: bool,
}

impl PagingArgs {
    /// As the client takes it.
    pub fn pages(&self) -> Pages {
        Pages { limit: self.limit, cursor: self.cursor.clone(), all: self.all }
    }
}

/// Whether a destructive command may go ahead.
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do it without asking
    #[arg(long, short, conflicts_with = "dry_run")]
    pub yes: bool,
}

/// Kinds of channels, in any case.
pub(super) fn kind() -> impl TypedValueParser<Value = ChannelKind> {
    PossibleValuesParser::new(ChannelKind::ALL.map(ChannelKind::as_str))
        .map(|text| text.parse::<ChannelKind>().expect("invariant: possible values are kinds"))
}

/// A JSON object.
pub(super) fn json_object(text: &str) -> Result<serde_json::Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ serde_json::Value::Object(_)) => Ok(value),
        Ok(_) => Err("must be a JSON object, such as {\"map\": \"town\"}".to_owned()),
        Err(error) => Err(format!("is not JSON: {error}")),
    }
}

/// A length of time in seconds, up to ten years.
pub(super) fn secs(text: &str) -> Result<i64, String> {
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

/// The same in milliseconds.
pub(super) fn millis(text: &str) -> Result<u64, String> {
    secs(text).map(|secs| secs.unsigned_abs() * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_and_a_unit() {
        for (text, expected) in [("1s", 1), ("30m", 1_800), ("1h", 3_600), ("3650d", 315_360_000)] {
            assert_eq!(secs(text), Ok(expected), "{text}");
        }
        assert_eq!(millis("2m"), Ok(120_000));
        for bad in ["", "1", "h", "0h", "-1h", "1.5h", "3651d", "1 h", "1ü", "99999999999d"] {
            assert!(secs(bad).is_err(), "{bad}");
        }
    }
}
