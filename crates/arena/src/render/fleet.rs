//! The bot service.

use super::channels::or_dash;
use super::fields::Fields;
use super::style::{Color, Style};
use super::table::{Cell, Column, Table};
use super::text::{counted, thousands};
use super::time::utc;
use arena_fleet::brain::ModelStats;
use arena_fleet::http::Report;
use arena_fleet::monitor::{BotReport, BotState, FaultReport, PhaseName, Totals};
use arena_fleet::{FleetStats, ManagerReport, Mode, PoolReport};

/// Errors that a status shows; the most frequent ones.
const MOST_ERRORS: usize = 10;

/// How a fleet is.
pub fn fleet_status(report: &Report, style: &Style) -> String {
    let stats = &report.stats;
    let mut fields = Fields::default();
    fields
        .add("fleet", format!("{}, began {}", mode_word(stats.manager.mode), utc(as_ms(stats.started_at_ms))))
        .add("bots", bots_words(&stats.monitor.totals, &stats.manager))
        .add("humans", humans_words(&stats.manager))
        .add("starts", starts_words(&stats.manager))
        .add("pool", pool_words(stats))
        .add("rates", rates_words(&stats.pool))
        .add("retries", retries_words(&stats.monitor.totals))
        .add_some("model", stats.model.as_ref().map(model_words));
    let mut text = fields.render(style);
    text.push_str(&format!("\n{}", answers_table(stats, style)));
    if !stats.monitor.errors.is_empty() {
        text.push_str(&format!("\n{}", errors_table(stats, style)));
    }
    text.push_str(&format!("\n{}", verdict(report, style)));
    text
}

/// Each bot.
pub fn fleet_bots_table(report: &Report, style: &Style) -> String {
    let mut table = Table::new([
        Column::text("BOT"),
        Column::elastic("NAME"),
        Column::text("STATE"),
        Column::number("FOR"),
        Column::text("BRAIN"),
        Column::number("CHANNELS"),
        Column::elastic("CONVERSATION"),
        Column::number("TRIES"),
        Column::elastic("LAST FAULT"),
    ]);
    let now = report.stats.monitor.now_ms;
    for bot in &report.stats.monitor.bots {
        table.row([
            bot.id.as_str().into(),
            bot.name.as_str().into(),
            state_cell(bot),
            length(now.saturating_sub(bot.since_ms)).into(),
            format!("{:?}", bot.brain).to_ascii_lowercase().into(),
            channels_cell(bot),
            or_dash(bot.conversation.as_deref()),
            bot.attempts.to_string().into(),
            bot.last_fault.as_ref().map(|fault| fault_words(fault, now)).unwrap_or_default().into(),
        ]);
    }
    table.render(style)
}

/// What the manager does now, in one line.
pub fn manager_words(manager: &ManagerReport) -> String {
    let why = match manager.pinned {
        Some(pinned) if pinned > manager.max => format!(
            "set by an operator: {} were asked for, and fleet.max allows no more than {}",
            thousands(pinned as u64),
            thousands(manager.max as u64)
        ),
        Some(_) => "set by an operator".to_owned(),
        None => "as the humans call for".to_owned(),
    };
    format!("{}; {} wanted, {why}", mode_word(manager.mode), counted(manager.target as u64, "bot"))
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Running => "running",
        Mode::Paused => "paused",
        Mode::Draining => "draining",
        Mode::Stopping => "stopping",
    }
}

/// `12 active of 15 wanted: 10 idle, 2 talking, 3 starting`.
fn bots_words(totals: &Totals, manager: &ManagerReport) -> String {
    let states: Vec<String> = BotState::ALL
        .iter()
        .filter_map(|state| totals.by_state.get(state).map(|count| (state, *count)))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{} {}", thousands(count as u64), state.as_str()))
        .collect();
    let mut text =
        format!("{} active of {} wanted", thousands(totals.active as u64), thousands(manager.target as u64));
    if !states.is_empty() {
        text.push_str(&format!(": {}", states.join(", ")));
    }
    if totals.degraded > 0 {
        text.push_str(&format!("; {} without some of their channels", thousands(totals.degraded as u64)));
    }
    text
}

/// `40 in lobby:main, 30 % of them, from 3 to 15`.
fn humans_words(manager: &ManagerReport) -> String {
    let lobby = &manager.lobby;
    if !lobby.joined {
        return format!("unknown: {} cannot be read, so nobody counts", lobby.topic);
    }
    let about = if lobby.occupancy { "about " } else { "" };
    let humans = thousands(lobby.humans as u64);
    let rule = match manager.pinned {
        Some(pinned) => format!("an operator has set {}", counted(pinned as u64, "bot")),
        None => format!("{} % of them, from {} to {}", manager.target_percent, manager.min, manager.max),
    };
    let others = match lobby.other_bots {
        Some(bots @ 1..) => format!(", and {} of others", counted(bots as u64, "bot")),
        _ => String::new(),
    };
    format!("{about}{humans} in {}{others}; {rule}", lobby.topic)
}

fn starts_words(manager: &ManagerReport) -> String {
    let pace = format!("{} s apart", seconds(manager.start_gap_ms));
    match manager.starts_waiting {
        0 => format!("none waiting; {pace}"),
        waiting => format!("{} waiting, {pace}", thousands(waiting as u64)),
    }
}

/// `15 of 15 connections open, 18 of 20 channels joined; the breaker is closed`.
fn pool_words(stats: &FleetStats) -> String {
    let totals = &stats.monitor.totals;
    let open = |phases: &std::collections::BTreeMap<PhaseName, usize>| {
        let there: usize = [PhaseName::Waiting, PhaseName::Opening, PhaseName::Open, PhaseName::BackingOff]
            .iter()
            .filter_map(|phase| phases.get(phase))
            .sum();
        let open = phases.get(&PhaseName::Open).copied().unwrap_or_default();
        format!("{} of {}", thousands(open as u64), thousands(there as u64))
    };
    let mut text =
        format!("{} connections open, {} channels joined", open(&totals.connections), open(&totals.channels));
    if stats.pool.waiting > 0 {
        text.push_str(&format!(", {} waiting", thousands(stats.pool.waiting as u64)));
    }
    text.push_str(&format!("; the breaker is {}", stats.pool.breaker.as_str().replace('_', " ")));
    text
}

fn rates_words(pool: &PoolReport) -> String {
    let (connects, joins) = (round(pool.connects_per_sec), round(pool.joins_per_sec));
    format!("{connects} connects and {joins} joins a second at most")
}

/// `small is asked: 17 requests, 2 failed; 1,234 of 5,000 tokens and 50 millionths spent`.
fn model_words(model: &ModelStats) -> String {
    let up = if model.up { "is asked" } else { "is left alone, and its bots are scripted" };
    let of = |spent: u64, limit: Option<u64>| match limit {
        Some(limit) => format!("{} of {}", thousands(spent), thousands(limit)),
        None => thousands(spent),
    };
    format!(
        "{} {up}: {}, {} failed; {} tokens and {} millionths spent",
        model.model,
        counted(model.calls, "request"),
        thousands(model.failures),
        of(model.tokens, model.fleet_tokens),
        of(model.cost_micros, model.fleet_cost_micros),
    )
}

fn retries_words(totals: &Totals) -> String {
    let attempts = counted(totals.reconnect_attempts, "attempt");
    format!("{attempts} after failures; {} failed for good", counted(totals.bots_failed, "bot"))
}

fn answers_table(stats: &FleetStats, style: &Style) -> String {
    let mut table = Table::new([
        Column::text("ANSWERS TO"),
        Column::number("COUNT"),
        Column::number("P50 MS"),
        Column::number("P95 MS"),
        Column::number("P99 MS"),
    ]);
    for (what, times) in &stats.monitor.response_times {
        table.row([
            what.as_str().into(),
            thousands(times.count).into(),
            format!("{:.1}", times.p50_ms).into(),
            format!("{:.1}", times.p95_ms).into(),
            format!("{:.1}", times.p99_ms).into(),
        ]);
    }
    table.render(style)
}

fn errors_table(stats: &FleetStats, style: &Style) -> String {
    let mut table = Table::new([
        Column::text("ERRORS"),
        Column::elastic("CODE"),
        Column::number("COUNT"),
        Column::number("LAST"),
        Column::elastic("THE LAST ONE"),
    ]);
    for error in stats.monitor.errors.iter().take(MOST_ERRORS) {
        let ago = length(stats.monitor.now_ms.saturating_sub(error.last_seen_ms));
        table.row([
            error.class.as_str().into(),
            error.code.as_str().into(),
            thousands(error.count).into(),
            format!("{ago} ago").into(),
            error.sample.as_str().into(),
        ]);
    }
    table.render(style)
}

fn verdict(report: &Report, style: &Style) -> String {
    let mut text = String::new();
    for reason in &report.health.reasons {
        text.push_str(&format!("{}{}\n", style.arrow(), super::clean(reason)));
    }
    if report.stats.pool.halted.is_some() {
        let advice = "check the key and the endpoint and start again; if the endpoint was at fault: `arena fleet resume`";
        text.push_str(&format!("{}{advice}\n", style.arrow()));
    }
    let (word, color) =
        if report.health.healthy { ("healthy", Color::Green) } else { ("unhealthy", Color::Red) };
    text.push_str(&format!("verdict  {}\n", style.paint(word, color)));
    text
}

fn state_cell(bot: &BotReport) -> Cell {
    let word = bot.state.as_str();
    match bot.state {
        BotState::Failed => Cell::colored(word, Color::Red),
        BotState::Starting | BotState::Reconnecting | BotState::Leaving => Cell::colored(word, Color::Yellow),
        BotState::Idle | BotState::Talking if bot.degraded => Cell::colored(word, Color::Yellow),
        BotState::Idle | BotState::Talking => Cell::colored(word, Color::Green),
    }
}

/// Channels that are joined, of those that it wants.
fn channels_cell(bot: &BotReport) -> Cell {
    let open = bot.channels.iter().filter(|channel| channel.line.phase == PhaseName::Open).count();
    let text = format!("{open}/{}", bot.channels.len());
    if open < bot.channels.len() { Cell::colored(text, Color::Yellow) } else { text.into() }
}

fn fault_words(fault: &FaultReport, now_ms: u64) -> String {
    let ago = length(now_ms.saturating_sub(fault.at_ms));
    format!("{} {ago} ago: {}", fault.code, fault.detail)
}

/// A length of time in its largest unit: `59 s`, `2 min`, `3 h`, `4 d`.
fn length(ms: u64) -> String {
    match ms / 1_000 {
        secs @ 0..60 => format!("{secs} s"),
        secs @ 60..3_600 => format!("{} min", secs / 60),
        secs @ 3_600..86_400 => format!("{} h", secs / 3_600),
        secs => format!("{} d", secs / 86_400),
    }
}

/// Milliseconds as seconds with one digit.
fn seconds(ms: u64) -> String {
    round(ms as f64 / 1_000.0)
}

/// One digit after the point, where it is not zero.
fn round(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn as_ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_fleet::LobbyReport;

    #[test]
    fn an_order_for_more_bots_than_are_allowed_is_said_to_be_cut() {
        let words = |pinned: Option<usize>| {
            manager_words(&ManagerReport {
                mode: Mode::Running,
                target: pinned.unwrap_or(3).min(15),
                pinned,
                min: 3,
                max: 15,
                target_percent: 30,
                starts_waiting: 0,
                start_gap_ms: 0,
                ticks: 1,
                last_tick_ms: None,
                maintenance_every_ms: 60_000,
                behind: None,
                cooling: 0,
                taken_elsewhere: 0,
                lobby: LobbyReport::default(),
            })
        };
        assert_eq!(
            words(Some(50)),
            "running; 15 bots wanted, set by an operator: 50 were asked for, and fleet.max allows no more than 15"
        );
        assert_eq!(words(Some(15)), "running; 15 bots wanted, set by an operator");
        assert_eq!(words(None), "running; 3 bots wanted, as the humans call for");
    }

    #[test]
    fn lengths_and_numbers_are_short() {
        let lengths = [0, 59_999, 60_000, 7_200_000, 345_600_000].map(length);
        assert_eq!(lengths, ["0 s", "59 s", "1 min", "2 h", "4 d"]);
        assert_eq!([50.0, 12.54, 0.04].map(round), ["50", "12.5", "0"]);
    }
}
