//! The activity log.

use super::channels::or_dash;
use super::style::Style;
use super::table::{Column, Table};
use super::time::utc;
use crate::client::wire::Activity;
use serde_json::Value;

/// A list of what happened.
pub fn activity_table(entries: &[Activity], style: &Style) -> String {
    let mut table = Table::new([
        Column::text("AT (UTC)"),
        Column::text("ACTOR"),
        Column::text("ACTION"),
        Column::text("CHANNEL"),
        Column::elastic("BOT"),
        Column::elastic("DETAIL"),
    ]);
    for entry in entries {
        table.row([
            utc(entry.at_ms).into(),
            entry.actor.as_str().into(),
            entry.action.as_str().into(),
            or_dash(entry.channel.as_deref()),
            or_dash(entry.bot.as_deref()),
            detail(&entry.detail).into(),
        ]);
    }
    table.render(style)
}

fn detail(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(object) => {
            let pairs: Vec<String> =
                object.iter().map(|(name, value)| format!("{name}={}", detail(value))).collect();
            pairs.join(" ")
        }
        value => value.to_string(),
    }
}
