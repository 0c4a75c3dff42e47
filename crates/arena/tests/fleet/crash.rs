//! kill -9 under load, of the bot service and of the gateway: nobody is left over, nobody is lost, nobody is there twice.

use super::client::Kind;
use super::gateway::Gateway;
use super::lobby::{Bots, Visitor, states};
use super::service::Fleet;
use super::support::PATIENCE;
use arena_testing::wait_until;
use serde_json::{Value, json};
use std::time::Instant;

const BOTS: usize = 60;
const TALKS: usize = 5;

/// As the demand is: nobody is left in the lobby a minute after.
const A_MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

/// Lets some bots talk, and waits until the lobby shows it.
fn let_them_talk(gateway: &Gateway, fleet: &Fleet, visitor: &mut Visitor) -> Vec<String> {
    let bots = visitor.until_bots(BOTS);
    let talkers: Vec<String> = bots.keys().take(TALKS).cloned().collect();
    for (n, bot) in talkers.iter().enumerate() {
        let conversation = format!("talk-{n}");
        gateway.post("/api/conversations", &json!({ "id": conversation, "participants": ["ann", bot] }));
        assert_eq!(fleet.send(&conversation, Some(bot)), *bot);
    }
    visitor.until("some bots talk", |bots| talking(bots) == TALKS);
    talkers
}

fn talking(bots: &Bots) -> usize {
    states(bots).iter().filter(|state| **state == "talking").count()
}

/// How many sessions the gateway has.
fn sessions(gateway: &Gateway) -> u64 {
    gateway.get("/api/realtime")["sessions"].as_u64().unwrap()
}

fn open(report: &Value, what: &str) -> u64 {
    report["pool"][what].as_u64().unwrap_or_else(|| panic!("{}", report["pool"]))
}

#[test]
fn a_killed_bot_service_leaves_nobody_behind_and_comes_back_as_the_same_bots() {
    let gateway = Gateway::start();
    let mut fleet = Fleet::of(BOTS, &gateway);
    let mut visitor = Visitor::enter(&gateway, Kind::RealtimeJs2, "ann");
    let_them_talk(&gateway, &fleet, &mut visitor);
    let before: Vec<String> = visitor.bots().into_keys().collect();

    fleet.kill();
    let killed = Instant::now();
    visitor.until_bots(0);
    assert!(killed.elapsed() < A_MINUTE, "{:?}", killed.elapsed());
    wait_until(PATIENCE, "its connections are gone", || sessions(&gateway) == 1);

    fleet.launch();
    let again = visitor.until_bots(BOTS);
    assert_eq!(again.into_keys().collect::<Vec<_>>(), before, "the same bots, each once");
}

#[test]
fn bots_come_back_after_the_gateway_was_killed_each_of_them_once() {
    let mut gateway = Gateway::start();
    let fleet = Fleet::of(BOTS, &gateway);
    let mut visitor = Visitor::enter(&gateway, Kind::RealtimeJs2, "ann");
    let talkers = let_them_talk(&gateway, &fleet, &mut visitor);
    let before: Vec<String> = visitor.bots().into_keys().collect();
    let calm =
        fleet.until("every channel is open", |report| open(report, "channels") as usize == BOTS + TALKS + 1);

    gateway.kill();
    // The report is about what is: bots notice.
    fleet.until("no connection is open", |report| open(report, "connections") == 0);
    gateway.launch();
    let again = visitor.until_bots(BOTS);
    assert_eq!(again.keys().cloned().collect::<Vec<_>>(), before, "the same bots, each once");
    visitor.until("who talked, talks", |bots| {
        talkers.iter().all(|bot| bots.get(bot).is_some_and(|metas| metas[0]["state"] == "talking"))
    });
    let after = fleet
        .until("every channel is open again", |report| open(report, "channels") == open(&calm, "channels"));
    assert_eq!(after["bots"].as_array().unwrap().len(), BOTS, "nobody was replaced");
    wait_until(PATIENCE, "no connection is left over", || {
        sessions(&gateway) == open(&fleet.stats(), "connections") + 1
    });
}
