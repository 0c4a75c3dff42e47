//! Channels and what is done with them.

use super::fields::Fields;
use super::style::{Color, Style};
use super::table::{Cell, Column, Table};
use super::text::{counted, thousands};
use super::time::utc;
use crate::client::wire::{Channel, ChannelStats, LastSync, Reset, ResetChannel, WorldRef};
use arena_core::channel::Status;
use arena_core::health::StateCounts;

/// A list of channels.
pub fn channels_table(channels: &[Channel], style: &Style) -> String {
    let mut table = Table::new([
        Column::text("CHANNEL"),
        Column::text("KIND"),
        Column::text("STATUS"),
        Column::text("REGION"),
        Column::text("LOAD"),
        Column::number(""),
        Column::number(""),
        Column::elastic("WORLD"),
    ]);
    for channel in channels {
        let [bar, seats, percent] =
            load_cells(taken(channel), channel.max_bots, channel.load_percent, None, style);
        table.row([
            channel.name.as_str().into(),
            channel.kind.as_str().into(),
            status_cell(channel.status),
            or_dash(channel.region.as_deref()),
            bar,
            seats,
            percent,
            or_dash(channel.world.as_ref().map(WorldRef::id)),
        ]);
    }
    table.render(style)
}

/// One channel and its figures.
pub fn channel_details(channel: &Channel, stats: &ChannelStats, style: &Style) -> String {
    let mut fields = Fields::default();
    fields
        .add("channel", &channel.name)
        .add("group", format!("{} (shard {})", channel.group, channel.shard))
        .add("kind", channel.kind.as_str())
        .add("status", channel.status.to_string())
        .add_some("region", channel.region.as_deref())
        .add("load", load_words(channel, style))
        .add("bots", states(&stats.bots))
        .add_some("players", (channel.players > 0).then(|| channel.players.to_string()))
        .add("world", world_words(stats))
        .add("last sync", stats.last_sync.as_ref().map_or_else(|| "none yet".to_owned(), sync_words))
        .add_some("metadata", metadata(channel))
        .add("opened", utc(channel.created_at_ms))
        .add("changed", utc(channel.updated_at_ms));
    fields.render(style)
}

/// What a reset clears.
pub fn reset_table(reset: &Reset, style: &Style) -> String {
    let mut table = Table::new([
        Column::text("CHANNEL"),
        Column::elastic("WORLD"),
        Column::number("BOTS"),
        Column::number("FAILED"),
    ]);
    // On a terminal the question below must stay in sight.
    let most = style.size.map_or(usize::MAX, |(_, height)| height.saturating_sub(8).max(1));
    for channel in reset.channels.iter().take(most) {
        table.row([
            channel.channel.as_str().into(),
            or_dash(channel.world.as_ref().map(WorldRef::id)),
            channel.bots.to_string().into(),
            channel.failed.to_string().into(),
        ]);
    }
    let mut text = table.render(style);
    if let Some(more @ 1..) = reset.channels.len().checked_sub(most) {
        text.push_str(&format!("{} and {more} more\n", style.ellipsis()));
    }
    text
}

/// What a reset clears, in numbers.
pub fn reset_totals(reset: &Reset) -> String {
    let sum = |of: fn(&ResetChannel) -> u64| reset.channels.iter().map(of).sum();
    let channels = counted(reset.channels.len() as u64, "channel");
    format!(
        "{channels} with {}, {} of them failed",
        counted(sum(|c| c.bots), "bot"),
        thousands(sum(|c| c.failed))
    )
}

/// Bar, seats and percentage.
pub(super) fn load_cells(
    taken: u32,
    max_bots: u32,
    percent: f64,
    color: Option<Color>,
    style: &Style,
) -> [Cell; 3] {
    let cell = |text: String| match color {
        Some(color) => Cell::colored(text, color),
        None => text.into(),
    };
    [cell(style.bar(percent / 100.0)), format!("{taken}/{max_bots}").into(), format!("{percent:.0} %").into()]
}

pub(super) fn status_cell(status: Status) -> Cell {
    match status {
        Status::Active => status.to_string().into(),
        Status::Full | Status::Draining | Status::Maintenance => {
            Cell::colored(status.to_string(), Color::Yellow)
        }
    }
}

pub(super) fn or_dash(text: Option<&str>) -> Cell {
    text.filter(|text| !text.is_empty()).map_or_else(|| Cell::colored("-", Color::Dim), Cell::from)
}

/// Bots by state, those first that are where they should be; what is zero is left out.
fn states(bots: &StateCounts) -> String {
    let parts = [
        (bots.live, "live"),
        (bots.pending, "pending"),
        (bots.deploying, "deploying"),
        (bots.backoff, "waiting for their next attempt"),
        (bots.failed, "failed"),
        (bots.disabled, "disabled"),
    ];
    let shown: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

fn load_words(channel: &Channel, style: &Style) -> String {
    let (taken, Channel { max_bots, load_percent, .. }) = (taken(channel), channel);
    format!("{} {taken}/{max_bots} {load_percent:.0} %", style.bar(load_percent / 100.0))
}

/// Seats that bots and players have taken.
fn taken(channel: &Channel) -> u32 {
    channel.bots.saturating_add(channel.players)
}

fn world_words(stats: &ChannelStats) -> String {
    match &stats.world {
        Some(world) => format!("{} ({})", world.id(), stats.world_state),
        None => stats.world_state.clone(),
    }
}

fn sync_words(sync: &LastSync) -> String {
    let LastSync { at_ms, duration_ms, ok, trouble } = sync;
    let verdict = match (ok, trouble) {
        (true, _) => "ok".to_owned(),
        (false, Some(trouble)) => format!("failed: {trouble}"),
        (false, None) => "failed".to_owned(),
    };
    format!("{}, {duration_ms:.0} ms, {verdict}", utc(*at_ms))
}

fn metadata(channel: &Channel) -> Option<String> {
    let object = channel.metadata.as_object().filter(|object| !object.is_empty())?;
    Some(serde_json::Value::Object(object.clone()).to_string())
}

/// What an operation moved, in a sentence.
pub fn applied_words(moved: u64, opened: &[String]) -> String {
    let moved = format!("{} moved", counted(moved, "bot"));
    if opened.is_empty() { moved } else { format!("{moved}; opened {}", opened.join(", ")) }
}
