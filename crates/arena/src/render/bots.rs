//! Bots.

use super::channels::or_dash;
use super::fields::Fields;
use super::style::{Color, Style};
use super::table::{Cell, Column, Table};
use super::time::utc;
use crate::client::wire::{Bot, WorldRef};

/// A list of bots.
pub fn bots_table(bots: &[Bot], style: &Style) -> String {
    let mut table = Table::new([
        Column::elastic("NAME"),
        Column::text("STATE"),
        Column::text("CHANNEL"),
        Column::text("WANTS"),
        Column::elastic("REASON"),
    ]);
    for bot in bots {
        table.row([
            bot.name.as_str().into(),
            state_cell(&bot.state),
            or_dash(bot.channel.as_deref()),
            wants(bot).into(),
            bot.reason.as_deref().unwrap_or_default().into(),
        ]);
    }
    table.render(style)
}

/// One bot.
pub fn bot_details(bot: &Bot, style: &Style) -> String {
    let mut fields = Fields::default();
    fields
        .add("name", &bot.name)
        .add("id", &bot.id)
        .add("state", state_words(bot))
        .add_some("not live", bot.why_not_live.as_deref())
        .add("channel", bot.channel.as_deref().unwrap_or("-"))
        .add_some("world", bot.world.as_ref().map(WorldRef::id))
        .add("wants", wants(bot))
        .add_some("home zone", bot.home_zone.as_deref())
        .add_some("traits", Some(bot.traits.join(", ")))
        .add_some("persona", Some(bot.persona.as_str()))
        .add("created", utc(bot.created_at_ms))
        .add("changed", utc(bot.changed_at_ms));
    fields.render(style)
}

fn state_cell(state: &str) -> Cell {
    match state {
        "live" => Cell::colored(state, Color::Green),
        "failed" => Cell::colored(state, Color::Red),
        "disabled" => Cell::colored(state, Color::Dim),
        _ => Cell::colored(state, Color::Yellow),
    }
}

/// The state and, as far as `why_not_live` does not say it, what is behind it.
fn state_words(bot: &Bot) -> String {
    let mut words = bot.state.clone();
    if let Some(reason) = bot.reason.as_deref().filter(|_| bot.why_not_live.is_none()) {
        words.push_str(&format!(": {reason}"));
    }
    if let (Some(attempt), Some(at)) = (bot.attempt, bot.retry_at_ms) {
        words.push_str(&format!(" (after attempt {attempt}; next at {})", utc(at)));
    }
    words
}

fn wants(bot: &Bot) -> String {
    match &bot.region {
        Some(region) => format!("{} in {region}", bot.channel_kind),
        None => bot.channel_kind.to_string(),
    }
}
