//! The stats in the text format of Prometheus. No label holds an id: their values are few and known.

use crate::monitor::ResponseTimes;
use crate::stats::{FleetStats, Health, Mode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

/// The media type of the text.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything as text.
pub(super) fn text(stats: &FleetStats, health: &Health) -> String {
    let mut page = Page::default();
    manager(&mut page, stats, health);
    bots(&mut page, stats);
    errors(&mut page, stats);
    pool(&mut page, &stats.pool);
    page.0
}

fn manager(page: &mut Page, stats: &FleetStats, health: &Health) {
    let manager = &stats.manager;
    page.one("healthy", "gauge", "Whether the fleet does its work.", u8::from(health.healthy));
    page.family("mode", "gauge", "What the manager does: 1 at the one that it is.");
    for (mode, name) in [
        (Mode::Running, "running"),
        (Mode::Paused, "paused"),
        (Mode::Draining, "draining"),
        (Mode::Stopping, "stopping"),
    ] {
        page.sample("mode", &[("mode", name)], u8::from(manager.mode == mode));
    }
    page.one("target_bots", "gauge", "Bots that there should be.", manager.target);
    page.one("lobby_joined", "gauge", "Whether the lobby can be read.", u8::from(manager.lobby.joined));
    if manager.lobby.joined {
        page.one("lobby_humans", "gauge", "Humans in the lobby.", manager.lobby.humans);
    }
    page.one("starts_waiting", "gauge", "Starts that are still to be made.", manager.starts_waiting);
    let gap = secs(manager.start_gap_ms as f64);
    page.one("start_gap_seconds", "gauge", "Time between two starts at present.", gap);
    page.one("ticks_total", "counter", "How often the manager has looked.", manager.ticks);
    let began = secs(stats.started_at_ms as f64);
    page.one("start_time_seconds", "gauge", "When the fleet began, since 1970.", began);
}

fn bots(page: &mut Page, stats: &FleetStats) {
    let totals = &stats.monitor.totals;
    page.family("bots", "gauge", "Bots by state.");
    for (state, count) in &totals.by_state {
        page.sample("bots", &[("state", state.as_str())], count);
    }
    page.one("degraded_bots", "gauge", "Bots that work without some of their channels.", totals.degraded);
    for (name, help, phases) in [
        ("connections", "Connections by phase.", &totals.connections),
        ("channels", "Channels of bots by phase.", &totals.channels),
    ] {
        page.family(name, "gauge", help);
        for (phase, count) in phases {
            page.sample(name, &[("phase", phase.as_str())], count);
        }
    }
    let again = "How often anything was tried again after a failure.";
    page.one("reconnect_attempts_total", "counter", again, totals.reconnect_attempts);
    page.one("failed_bots_total", "counter", "Bots that failed for good.", totals.bots_failed);
    page.family("response_seconds", "histogram", "How long answers took.");
    for (what, times) in &stats.monitor.response_times {
        page.histogram("response_seconds", ("what", what.as_str()), times);
    }
}

/// Failures by class and code. Patterns with one code and several texts are one series.
fn errors(page: &mut Page, stats: &FleetStats) {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for pattern in &stats.monitor.errors {
        *counts.entry((&pattern.class, &pattern.code)).or_default() += pattern.count;
    }
    page.family("errors_total", "counter", "Failures by class and code.");
    for ((class, code), count) in counts {
        page.sample("errors_total", &[("class", class), ("code", code)], count);
    }
}

/// The pool's numbers under their own names, and its breaker.
fn pool(page: &mut Page, pool: &Value) {
    for (name, value) in pool.as_object().into_iter().flatten() {
        if let Some(number) = value.as_f64() {
            let name = format!("pool_{name}");
            page.one(&name, "gauge", "As /stats has it under `pool`.", number);
        }
    }
    if let Some(state) = pool["breaker"].as_str().or_else(|| pool["breaker"]["state"].as_str()) {
        page.family("breaker", "gauge", "Whether the endpoint is tried: 1 at the state that it is in.");
        for known in ["closed", "open", "half_open"] {
            page.sample("breaker", &[("state", known)], u8::from(known == state));
        }
    }
    let halted = !pool["halted"].is_null();
    page.one("halted", "gauge", "Whether nothing is tried until somebody resumes.", u8::from(halted));
}

/// Milliseconds as seconds, without the digits that only arithmetic has put there.
fn secs(ms: f64) -> f64 {
    (ms * 1e6).round() / 1e9
}

/// The text so far.
#[derive(Default)]
struct Page(String);

impl Page {
    /// A metric with one sample.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP arena_fleet_{name} {help}"));
        self.line(format_args!("# TYPE arena_fleet_{name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.line(format_args!("arena_fleet_{name}{labels} {value}"));
    }

    /// Buckets are cumulative, the last one is of all answers.
    fn histogram(&mut self, name: &str, label: (&str, &str), times: &ResponseTimes) {
        let bucket = format!("{name}_bucket");
        for at in &times.buckets {
            self.sample(&bucket, &[label, ("le", &secs(at.le_ms).to_string())], at.count);
        }
        self.sample(&bucket, &[label, ("le", "+Inf")], times.count);
        self.sample(&format!("{name}_sum"), &[label], secs(times.sum_ms));
        self.sample(&format!("{name}_count"), &[label], times.count);
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("invariant: text takes whatever is written to it");
    }
}

/// What endpoints say stands in quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
