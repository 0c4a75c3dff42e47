//! What the demo prints: results on standard output, progress on standard error.

use super::debate::{self, Debate};
use super::fleet::Company;
use super::guest::{self, Met};
use super::stages::{Talk, Timings, live_share};
use super::strangers::Evening;
use super::visitor::Visit;
use crate::config::Config;
use crate::progress::say;
use crate::render::{HealthView, Style, health_view, thousands};
use crate::server::Server;
use arena_core::health::HealthReport;
use arena_fleet::FleetStats;
use arena_fleet::monitor::Answered;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

/// Lines that are shown of what residents say.
pub(super) const OVERHEARD: usize = 4;
/// Channels that are shown of the health report.
const CHANNELS: usize = 8;

pub(super) fn opening(server: &Server, config: &Config) {
    let data = config.database.url_in(&config.server.data_dir);
    say(&format!("arena demo: server at http://{}, data in {data}", server.address));
}

pub(super) fn imported(created: u32, existing: u32, channels: usize, took: Duration) -> String {
    let known = if existing > 0 {
        format!(" ({} were there already)", thousands(existing.into()))
    } else {
        String::new()
    };
    format!(
        "imported {} bots{known}, each with a seat in one of {channels} channels: {}",
        thousands(created.into()),
        secs(took)
    )
}

pub(super) fn deployed(bots: u64, worlds: u32, took: Duration) -> String {
    format!("deployed {} bots into {worlds} worlds: {} after the start", thousands(bots), secs(took))
}

pub(super) fn wiped(worlds: u32, took: Duration) -> String {
    format!("wiped all {worlds} worlds, as a crash would: {}", secs(took))
}

pub(super) fn healed(bots: u64, worlds: u32, took: Duration) -> String {
    format!(
        "healed: {} bots live again in {worlds} new worlds, {} after the wipe",
        thousands(bots),
        secs(took)
    )
}

pub(super) fn visited(visit: &Visit) -> String {
    format!(
        "a player joined main over the socket, and saw {} residents: {}",
        visit.residents,
        secs(visit.joined)
    )
}

pub(super) fn debated(debate: &Debate) -> String {
    format!(
        "two agents talked on a budget of {} messages, {} each: {} said, refused {}: {}",
        debate::TOTAL,
        debate::EACH,
        debate.said,
        counted(&debate.refused),
        secs(debate.took)
    )
}

pub(super) fn gathered(stats: &FleetStats, took: Duration) -> String {
    let (active, lobby) = (stats.monitor.totals.active, &stats.manager.lobby.topic);
    format!(
        "{active} bots of the fleet are in {lobby}, each over the socket: {} after their start",
        secs(took)
    )
}

pub(super) fn met(met: &Met) -> String {
    format!(
        "a guest met {} in the lobby, a bot of the fleet, which had its first word {} after it was asked; {} lines in all",
        met.bot,
        secs(met.greeted),
        met.lines.len()
    )
}

/// Who met whom, in a line.
pub(super) fn parted(evenings: &[Evening]) -> String {
    let bots = evenings.iter().filter(|evening| evening.with_bot).count();
    format!("{} strangers met: {} another human, {bots} a bot", evenings.len(), evenings.len() - bots)
}

/// How long people waited for somebody to talk to; `evenings` are in the order of that.
pub(super) fn strangers(evenings: &[Evening]) {
    let row = |what: &str, detail: String| print(&format!("  {what:<9}  {detail}"));
    let waits = |with_bot: bool| {
        let waits = evenings.iter().filter(|evening| evening.with_bot == with_bot);
        waits.map(|evening| evening.waited).collect::<Vec<_>>()
    };
    let told = |waits: &[Duration]| match waits {
        [] => "nobody".to_owned(),
        [.., longest] => format!(
            "{} people, who waited {} (p50), {} at most",
            waits.len(),
            secs(waits[(waits.len() - 1) / 2]),
            secs(*longest)
        ),
    };
    print("");
    print("strangers");
    let all: Vec<Duration> = evenings.iter().map(|evening| evening.waited).collect();
    row("met", told(&all));
    row("a human", told(&waits(false)));
    row("a bot", format!("{}; bots come in when no human fits for 5 s", told(&waits(true))));
    let heard: u64 = evenings.iter().map(|evening| evening.heard).sum();
    row("heard", format!("{heard} first words of partners, each confirmed by both before"));
}

/// The bots that are clients: how they are, how quickly they are answered, and what one of them said.
pub(super) fn fleet(company: &Company) {
    let Company { present_after, stats, met, .. } = company;
    let row = |what: &str, detail: String| print(&format!("  {what:<9}  {detail}"));
    let totals = &stats.monitor.totals;
    print("");
    print("fleet");
    let lobby = &stats.manager.lobby;
    row(
        "bots",
        format!(
            "{} of {} in {}, each over a socket, {} after the fleet's start",
            totals.active,
            stats.manager.target,
            lobby.topic,
            secs(*present_after)
        ),
    );
    let faults: u64 = stats.monitor.errors.iter().map(|pattern| pattern.count).sum();
    row("trouble", format!("{} reconnects, {faults} failures of any kind", totals.reconnect_attempts));
    if let Some(joins) = stats.monitor.response_times.get(&Answered::Join) {
        row(
            "joins",
            format!(
                "{} answered, half within {:.1} ms, 95 % within {:.1} ms",
                joins.count, joins.p50_ms, joins.p95_ms
            ),
        );
    }
    if let Some(Met { bot, lines, end, .. }) = met {
        row("a talk", format!("{} of {} messages, the log ends with `{end}`:", lines.len(), guest::TOTAL));
        let width = lines.iter().map(|(who, _)| who.chars().count()).max().unwrap_or_default();
        for (who, text) in lines {
            let mark = if who == bot { " (bot)" } else { "" };
            print(&format!("             {:<1$} {text}", format!("{who}{mark}:"), width + 7));
        }
    }
}

pub(super) fn overheard(lines: &[(String, (String, String))]) {
    if lines.is_empty() {
        return;
    }
    say("overheard:");
    for (channel, (who, text)) in lines {
        say(&format!("  {channel}  {who}: {text}"));
    }
}

pub(super) fn health(report: &HealthReport) {
    print("");
    print(health_view(report, HealthView::Most(CHANNELS), &Style::of_stdout()).trim_end());
    print("");
    say(&format!(
        "{}. A warning here is load: 70 % counts as one, and a group opens a shard at 80 %",
        live_share(report)
    ));
}

pub(super) fn timings(timings: &Timings) {
    let row = |what: &str, took: Duration, detail: String| {
        print(&format!("  {what:<9}{:>9}   {detail}", secs(took)))
    };
    let rate = |took: Duration| thousands((timings.bots as f64 / took.as_secs_f64().max(0.001)) as u64);
    let bots = thousands(timings.bots);
    print("");
    print("timings");
    let new = thousands(u64::from(timings.created) + u64::from(timings.existing));
    row("imported", timings.imported, format!("{new} bots read, checked and stored"));
    row("placed", timings.imported, format!("in {} channels, in the same transactions", timings.channels));
    row(
        "deployed",
        timings.deployed,
        format!(
            "{bots} bots live in {} worlds, {} bots/s from the first row on",
            timings.worlds,
            rate(timings.deployed)
        ),
    );
    row(
        "healed",
        timings.healed,
        format!("{} worlds wiped, {bots} bots live again, {} bots/s", timings.wiped, rate(timings.healed)),
    );
    if let Some((visit, told)) = &timings.visit {
        let what = format!("a player: seat, token, socket, snapshot of {} residents", visit.residents);
        row("joined", visit.joined, what);
        if let Some(told) = told {
            let what =
                format!("after the wipe the player was in the next world; {} deltas in all", visit.deltas);
            row("followed", *told, what);
        }
    }
    if !timings.all_live {
        print("not every bot is live: see `arena channels health`");
    }
}

/// What was said, what ended by what, and what was refused for want of a budget.
pub(super) fn conversations(talk: &Talk, met: Option<&Met>) {
    let Talk { stats, stored, debate } = talk;
    let row = |what: &str, detail: String| print(&format!("  {what:<9}{detail}"));
    let guests = met.map_or(0, |met| met.lines.len() as u64);
    let agents = debate.as_ref().map_or(0, |debate| u64::from(debate.said));
    print("");
    print("conversations");
    row(
        "residents",
        format!(
            "  {} lines, each charged and stored before it was heard",
            thousands(stats.messages.saturating_sub(agents + guests))
        ),
    );
    if let Some(Debate { said, logged, last, .. }) = debate {
        let budget = format!("on a budget of {}, {} each", debate::TOTAL, debate::EACH);
        row("agents", format!("  {said} messages {budget}; {logged} in the log, which ends with `{last}`"));
    }
    let new = stats.created;
    row("begun", format!("  {}, and {} in the store", thousands(new), thousands(*stored as u64)));
    row("ended", format!("  {}", counted(&stats.exhausted)));
    row("dropped", format!("  {}", counted(&stats.dropped)));
    let (entries, batches) = (thousands(stats.entries), thousands(stats.batches));
    row("written", format!("  {entries} entries of logs in {batches} transactions"));
}

/// A sum and its parts.
fn counted<K: Display, N: Copy + Into<u64>>(parts: &BTreeMap<K, N>) -> String {
    let sum: u64 = parts.values().map(|count| (*count).into()).sum();
    let parts: Vec<String> =
        parts.iter().map(|(what, n)| format!("{} {what}", thousands((*n).into()))).collect();
    if parts.is_empty() { "none".to_owned() } else { format!("{} ({})", thousands(sum), parts.join(", ")) }
}

pub(super) fn where_to_look(server: &Server) {
    let url = format!("http://{}", server.address);
    print("");
    print("the server goes on; in another terminal:");
    print("  arena channels health --watch          how every channel is");
    print("  arena worlds list                      the worlds, and how fast they tick");
    print("  arena bots list --channel main         who lives in main");
    print(&format!("  curl {url}/api/health    the same report for programs"));
    print("  arena watch world:main                 what happens in main, live");
    print("  arena conversations list               what residents say to each other, and how it ended");
    print("  arena fleet status                     the bots that are clients, and how they are answered");
    print("  arena fleet talk ID                    sends one of them into a conversation");
    print("  arena worlds wipe --all                do it to them again");
    print(&format!("realtime clients (Supabase, Phoenix) connect to {}", server.endpoint()));
    print("Ctrl-C ends it.");
}

fn secs(took: Duration) -> String {
    if took < Duration::from_millis(100) {
        format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
    } else {
        format!("{:.2} s", took.as_secs_f64())
    }
}

/// A closed pipe is no reason to stop the demo.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
