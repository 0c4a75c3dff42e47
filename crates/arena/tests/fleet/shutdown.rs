//! The end in good order.

use super::client::Kind;
use super::gateway::Gateway;
use super::lobby::Visitor;
use super::proxy::Proxy;
use super::service::{Fleet, key};
use super::support::PATIENCE;
use arena_testing::wait_until;
use serde_json::json;
use std::time::{Duration, Instant};

const BOTS: usize = 20;

#[test]
fn a_bot_service_that_is_asked_to_end_says_goodbye_everywhere_and_closes_its_connections() {
    /// Its setting `shutdown_deadline_secs`, and what a busy machine adds.
    const DEADLINE: Duration = Duration::from_secs(10 + 20);
    let gateway = Gateway::start();
    let proxy = Proxy::to(gateway.address());
    let mut fleet = Fleet::with(BOTS, &proxy.endpoint(), &key(&gateway), &[]);
    let mut visitor = Visitor::enter(&gateway, Kind::RealtimeJs2, "ann");
    let bots = visitor.until_bots(BOTS);
    let bot = bots.keys().next().unwrap();
    gateway.post("/api/conversations", &json!({ "id": "c", "participants": ["ann", bot] }));
    visitor.client.join_with("conversation:c", json!({ "config": {}, "presence": true }));
    fleet.send("c", Some(bot));
    visitor.client.broadcast("conversation:c", "message");

    let asked = Instant::now();
    assert_eq!(fleet.terminate().code(), Some(0), "{}", fleet.log());
    assert!(asked.elapsed() < DEADLINE, "{:?}", asked.elapsed());
    visitor.until_bots(0);
    let goodbye = visitor.client.expect("a goodbye", |seen| {
        seen["event"] == "message" && seen["topic"] == "conversation:c" && seen["payload"]["author"] == **bot
    });
    assert!(goodbye["payload"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{goodbye}");
    wait_until(PATIENCE, "every connection has ended", || proxy.goodbyes().len() == proxy.made());
    let goodbyes = proxy.goodbyes();
    assert!(goodbyes.len() > BOTS && goodbyes.iter().all(|code| *code == Some(1000)), "{goodbyes:?}");
    let totals = &gateway.get("/api/realtime")["totals"];
    assert_eq!((&totals["malformed"], &totals["broken_frames"]), (&json!(0), &json!(0)));
}
