//! Endpoints that let nobody in: they are not hammered, and it is told why.

use super::gateway::Gateway;
use super::proxy::Proxy;
use super::service::{Fleet, key};
use serde_json::Value;
use std::time::{Duration, Instant};

const BOTS: usize = 30;

/// How long is watched that nothing happens.
const WATCHED: Duration = Duration::from_secs(10);

/// How many connections are made in ten seconds.
fn knocks(proxy: &Proxy) -> usize {
    let before = proxy.made();
    // Nothing can be waited for here: what is looked for must not happen.
    let begun = Instant::now();
    arena_testing::wait_until(WATCHED * 2, "the time is over", || begun.elapsed() > WATCHED);
    proxy.made() - before
}

fn reasons(fleet: &Fleet) -> (u16, String) {
    let (status, health) = fleet.try_get("/healthz").unwrap();
    (status, health.to_string())
}

fn pattern<'a>(report: &'a Value, class: &str) -> Option<&'a Value> {
    report["errors"].as_array()?.iter().find(|pattern| pattern["class"] == class)
}

#[test]
fn a_wrong_key_is_reported_and_not_tried_again() {
    let gateway = Gateway::start();
    let proxy = Proxy::to(gateway.address());
    let wrong = key(&Gateway::start());
    let fleet = Fleet::with(BOTS, &proxy.endpoint(), &wrong, &[]);
    fleet.until("the refusal is told", |report| pattern(report, "authentication").is_some());
    let more = knocks(&proxy);
    assert!(proxy.made() <= 2, "{} connections, {more} of them later; {}", proxy.made(), fleet.log());
    let (status, why) = reasons(&fleet);
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("authentication"), "{why}");
}

#[test]
fn an_address_where_nobody_answers_is_probed_by_one_bot() {
    let gateway = Gateway::start();
    let proxy = Proxy::to(gateway.address());
    proxy.cut();
    let fleet = Fleet::with(BOTS, &proxy.endpoint(), &key(&gateway), &[]);
    fleet.until("the failure is told", |report| pattern(report, "network").is_some());
    let probes = knocks(&proxy);
    // Five failures open the breaker; then it is one at a time, after 2, 4, 8 … seconds less their jitter.
    assert!(proxy.made() <= 12 && probes <= 10, "{probes} of {} in {WATCHED:?}", proxy.made());
    assert_eq!(fleet.stats()["pool"]["breaker"], "open", "{}", fleet.stats()["pool"]);
    proxy.mend();
    fleet.until("they come in when it is there", |report| {
        report["bots"].as_array().unwrap().iter().filter(|bot| bot["state"] == "idle").count() == BOTS
    });
}
