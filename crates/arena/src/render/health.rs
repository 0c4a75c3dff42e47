//! The health report: the worst first, one line a channel, what is wrong below it, and what to do at the end.

use super::channels::{load_cells, status_cell};
use super::style::{Color, Style};
use super::table::{Cell, Column, Table};
use super::text::{clean, thousands, wrap};
use arena_core::health::{ChannelHealth, HealthReport, Level};

/// How much of the report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthView {
    /// Every channel.
    All,
    /// So many channels, the worst.
    Most(usize),
    /// As many channels as fit, so many at most.
    Fitting {
        /// Channels at most.
        channels: usize,
        /// Lines at most, if all that is below the channels fits too.
        lines: usize,
    },
}

/// The report as text.
pub fn health_view(report: &HealthReport, view: HealthView, style: &Style) -> String {
    let mut channels: Vec<&ChannelHealth> = report.channels.iter().collect();
    channels.sort_by_key(|channel| std::cmp::Reverse(channel.level));
    let (most, lines) = match view {
        HealthView::All => (usize::MAX, usize::MAX),
        HealthView::Most(channels) => (channels, usize::MAX),
        HealthView::Fitting { channels, lines } => (channels, lines),
    };
    let mut shown = most.min(channels.len());
    loop {
        let text = page(report, &channels, shown, style);
        if shown == 0 || text.lines().count() <= lines {
            return text;
        }
        shown -= 1;
    }
}

fn page(report: &HealthReport, channels: &[&ChannelHealth], shown: usize, style: &Style) -> String {
    let (visible, hidden) = channels.split_at(shown);
    let mut text = String::new();
    if !visible.is_empty() {
        text.push_str(&table(visible, style));
    }
    if !hidden.is_empty() {
        let and = style.ellipsis();
        text.push_str(&format!("{and} and {} more ({})\n", hidden.len(), levels(hidden)));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&advice(channels, style));
    text.push_str(&totals(report, channels, style));
    text
}

fn table(channels: &[&ChannelHealth], style: &Style) -> String {
    let mut table = Table::new([
        Column::text("LEVEL"),
        Column::text("CHANNEL"),
        Column::text("KIND"),
        Column::text("STATUS"),
        Column::text("LOAD"),
        Column::number(""),
        Column::number(""),
        Column::text("WORLD"),
        Column::number("LIVE"),
    ]);
    for channel in channels {
        let color = level_color(channel.level);
        let taken = channel.assigned.saturating_add(channel.players);
        let [bar, seats, percent] =
            load_cells(taken, channel.max_bots, channel.load_percent, Some(color), style);
        table.row([
            Cell::colored(level_word(channel.level), color),
            channel.channel.as_str().into(),
            channel.kind.as_str().into(),
            status_cell(channel.status),
            bar,
            seats,
            percent,
            world_cell(&channel.world_state),
            live_cell(channel),
        ]);
        // How full it is stands in the row itself.
        let load = format!("{taken} of {} seats taken", channel.max_bots);
        let issues: Vec<&str> =
            channel.issues.iter().map(String::as_str).filter(|issue| *issue != load).collect();
        if !issues.is_empty() {
            table.note(&issues.join("; "));
        }
    }
    table.render(style)
}

/// What to do, each thing once, and where.
fn advice(channels: &[&ChannelHealth], style: &Style) -> String {
    let mut things: Vec<(&str, Vec<&str>)> = Vec::new();
    for channel in channels {
        for thing in &channel.advice {
            match things.iter_mut().find(|(known, _)| known == thing) {
                Some((_, places)) => places.push(channel.channel.as_str()),
                None => things.push((thing, vec![channel.channel.as_str()])),
            }
        }
    }
    let arrow = style.arrow();
    let room = style.width().map_or(usize::MAX, |width| width.saturating_sub(arrow.chars().count()).max(20));
    let mut text = String::new();
    for (thing, places) in &things {
        for (index, line) in wrap(&clean(&format!("{}: {thing}", listed(places))), room).iter().enumerate() {
            let lead = if index == 0 { arrow.to_owned() } else { " ".repeat(arrow.chars().count()) };
            text.push_str(&format!("{lead}{line}\n"));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The first few of many places.
fn listed(places: &[&str]) -> String {
    const FEW: usize = 4;
    match places.len().checked_sub(FEW) {
        Some(more @ 1..) => format!("{} and {more} more", places[..FEW].join(", ")),
        _ => places.join(", "),
    }
}

fn totals(report: &HealthReport, channels: &[&ChannelHealth], style: &Style) -> String {
    let bots = &report.bots;
    let mut states = vec![format!("{} live", thousands(bots.live.into()))];
    for (count, state) in
        [(bots.awaited(), "on their way"), (bots.failed, "failed"), (bots.disabled, "disabled")]
    {
        if count > 0 {
            states.push(format!("{} {state}", thousands(count.into())));
        }
    }
    let syncs = match report.sync_success_percent {
        Some(percent) => format!("{percent:.1} % succeeded"),
        None => "none yet".to_owned(),
    };
    let verdict = style.paint(level_word(report.level), level_color(report.level));
    let counts = if channels.is_empty() { String::new() } else { format!(" ({})", levels(channels)) };
    format!(
        "channels  {}{counts}\nbots      {} of {} seats taken: {}\nworlds    {} valid\nsyncs     {syncs}\n\
         verdict   {verdict}\n",
        thousands(channels.len() as u64),
        thousands(bots.total().into()),
        thousands(report.seats),
        states.join(", "),
        thousands(report.valid_worlds.into()),
    )
}

/// How many channels are of each level: `1 critical, 2 warning`, and what is zero left out.
fn levels(channels: &[&ChannelHealth]) -> String {
    let of = |level| channels.iter().filter(|channel| channel.level == level).count() as u64;
    let parts: Vec<String> = [Level::Critical, Level::Warning, Level::Healthy]
        .into_iter()
        .filter(|level| of(*level) > 0)
        .map(|level| format!("{} {}", thousands(of(level)), level_word(level)))
        .collect();
    parts.join(", ")
}

fn world_cell(state: &str) -> Cell {
    match state {
        "valid" => Cell::colored(state, Color::Green),
        "none" => Cell::colored("-", Color::Dim),
        "gone" => Cell::colored(state, Color::Red),
        _ => Cell::colored(state, Color::Yellow),
    }
}

/// Live bots of those that should be.
fn live_cell(channel: &ChannelHealth) -> Cell {
    let wanted = channel.bots.total() - channel.bots.disabled;
    let text = format!("{}/{wanted}", channel.bots.live);
    if channel.bots.live < wanted { Cell::colored(text, Color::Yellow) } else { text.into() }
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Healthy => "healthy",
        Level::Warning => "warning",
        Level::Critical => "critical",
    }
}

fn level_color(level: Level) -> Color {
    match level {
        Level::Healthy => Color::Green,
        Level::Warning => Color::Yellow,
        Level::Critical => Color::Red,
    }
}
