//! Worlds.

use super::channels::or_dash;
use super::fields::Fields;
use super::style::{Color, Style};
use super::table::{Cell, Column, Table};
use super::text::thousands;
use crate::client::wire::{Discovery, World};

/// A list of worlds.
pub fn worlds_table(worlds: &[World], style: &Style) -> String {
    let mut table = Table::new([
        Column::elastic("WORLD"),
        Column::text("CHANNEL"),
        Column::number("RESIDENTS"),
        Column::number("TICK"),
        Column::text("PACE"),
    ]);
    for world in worlds {
        table.row([
            world.id.as_str().into(),
            or_dash(world.channel.as_deref()),
            world.residents.to_string().into(),
            thousands(world.tick).into(),
            pace(world),
        ]);
    }
    table.render(style)
}

/// One world and who is in it.
pub fn world_details(world: &World, style: &Style) -> String {
    let mut fields = Fields::default();
    fields
        .add("world", &world.id)
        .add("channel", world.channel.as_deref().unwrap_or("-"))
        .add("tick", thousands(world.tick))
        .add("pace", pace_words(world))
        .add("residents", thousands(world.residents));
    let mut text = fields.render(style);
    if !world.resident_list.is_empty() {
        text.push('\n');
        text.push_str(&residents_table(world, style));
    }
    if !world.overheard.is_empty() {
        text.push('\n');
        text.push_str(&overheard_table(world, style));
    }
    text
}

fn overheard_table(world: &World, style: &Style) -> String {
    let mut table = Table::new([Column::text("OVERHEARD"), Column::elastic("")]);
    for line in &world.overheard {
        table.row([line.name.as_str().into(), line.text.as_str().into()]);
    }
    table.render(style)
}

fn residents_table(world: &World, style: &Style) -> String {
    let mut table = Table::new([
        Column::text("NAME"),
        Column::number("X"),
        Column::number("Y"),
        Column::text("ZONE"),
        Column::elastic("ACTIVITY"),
    ]);
    for resident in &world.resident_list {
        table.row([
            resident.name.as_str().into(),
            format!("{:.1}", resident.x).into(),
            format!("{:.1}", resident.y).into(),
            or_dash(resident.zone.as_deref()),
            or_dash(resident.activity.as_deref()),
        ]);
    }
    table.render(style)
}

/// What discovery found, and how long it took, step by step.
pub fn discoveries_table(steps: &[(&str, Discovery)], style: &Style) -> String {
    let mut table = Table::new([
        Column::text("STEP"),
        Column::text("SOURCE"),
        Column::number("MS"),
        Column::elastic("WORLD"),
    ]);
    for (step, discovery) in steps {
        table.row([
            (*step).into(),
            discovery.source.as_str().into(),
            format!("{:.2}", discovery.duration_ms).into(),
            discovery.world.id().into(),
        ]);
    }
    table.render(style)
}

fn pace(world: &World) -> Cell {
    let color = if world.lagging { Color::Yellow } else { Color::Green };
    Cell::colored(pace_words(world), color)
}

fn pace_words(world: &World) -> String {
    match world.tick_ms_actual {
        Some(actual) if world.lagging => {
            format!("lagging: {actual:.0} ms a tick, {:.0} wanted", world.tick_ms)
        }
        _ => format!("{:.0} ms a tick", world.tick_ms),
    }
}
