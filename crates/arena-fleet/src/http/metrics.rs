//! The stats in the text format of Prometheus. No label holds an id: their values are few and known.

use crate::brain::ModelStats;
use crate::monitor::ResponseTimes;
use crate::stats::{Breaker, FleetStats, Health, Mode, PoolReport};
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
    if let Some(stats) = &stats.model {
        model(&mut page, stats);
    }
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

fn pool(page: &mut Page, pool: &PoolReport) {
    page.one("waiting_connections", "gauge", "Connections that wait for their turn.", pool.waiting);
    let connects = "Connects per second that are allowed now.";
    page.one("connects_allowed_per_second", "gauge", connects, pool.connects_per_sec);
    let joins = "Joins per second that are allowed now.";
    page.one("joins_allowed_per_second", "gauge", joins, pool.joins_per_sec);
    page.family("breaker", "gauge", "Whether the endpoint is tried: 1 at the state that it is in.");
    for state in Breaker::ALL {
        page.sample("breaker", &[("state", state.as_str())], u8::from(state == pool.breaker));
    }
    let halted = u8::from(pool.halted.is_some());
    page.one("halted", "gauge", "Whether nothing is tried until somebody resumes.", halted);
}

fn model(page: &mut Page, model: &ModelStats) {
    page.one("model_up", "gauge", "Whether the language model is asked at present.", u8::from(model.up));
    for (name, help, count) in [
        ("model_calls_total", "Requests to the language model.", model.calls),
        ("model_failures_total", "Requests to it that failed.", model.failures),
        ("model_fallbacks_total", "Times that a bot was scripted instead.", model.fallbacks),
        ("model_tokens_total", "Tokens that were spent.", model.tokens),
        ("model_cost_micros_total", "Money that was spent, in millionths.", model.cost_micros),
    ] {
        page.one(name, "counter", help, count);
    }
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
