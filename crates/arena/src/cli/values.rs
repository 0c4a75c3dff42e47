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
