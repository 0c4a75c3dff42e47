//! Text for people: tables, bars, times. Pure; what a terminal can show is in [`Style`].

mod activity;
mod bots;
mod channels;
mod conversations;
mod fields;
mod fleet;
mod health;
mod matchmaking;
mod simulation;
mod style;
mod table;
mod text;
mod time;
mod worlds;

pub use activity::activity_table;
pub use bots::{bot_details, bots_table};
pub use channels::{applied_words, channel_details, channels_table, reset_table, reset_totals};
pub use conversations::{
    budget_details, capacity_view, conversation_details, conversations_table, log_line, log_table,
    receipt_words,
};
pub use fields::Fields;
pub use fleet::{fleet_bots_table, fleet_status, manager_words};
pub use health::{HealthView, health_view};
pub use matchmaking::{
    match_details, matches_table, queue_details, queues_table, reports_table, ticket_details, tickets_table,
    tournament_view,
};
pub use simulation::simulation_view;
pub use style::{Color, Style};
pub use table::{Align, Cell, Column, Table};
pub use text::{clean, counted, thousands, wrap};
pub use time::utc;
pub use worlds::{discoveries_table, world_details, worlds_table};
