//! The environment that bots of Supabase projects are run with.

use super::client::Kind;
use super::gateway::Gateway;
use super::lobby::Visitor;
use super::service::{Fleet, key};
use serde_json::json;

/// A bot service that knows nothing but what deployments tell it.
fn deployed(gateway: &Gateway, min: &str, max: &str) -> Fleet {
    Fleet::run(&[
        ("SUPABASE_URL", &format!("http://{}", gateway.address())),
        ("SUPABASE_SERVICE_ROLE_KEY", &key(gateway)),
        ("BOT_MIN_COUNT", min),
        ("BOT_MAX_COUNT", max),
        ("BOT_TARGET_PERCENTAGE", "200"),
        ("MAINTENANCE_INTERVAL_MS", "250"),
    ])
}

#[test]
fn bots_are_as_many_as_the_environment_and_the_humans_in_the_lobby_say() {
    let gateway = Gateway::start();
    let fleet = deployed(&gateway, "2", "5");
    let mut ann = Visitor::enter(&gateway, Kind::RealtimeJs2, "ann");
    // Who only looks is nobody.
    ann.until_bots(2);
    assert_eq!(fleet.stats()["manager"]["lobby"]["humans"], 0);
    ann.show();
    fleet.until("ann is counted", |report| report["manager"]["lobby"]["humans"] == 1);
    let mut bo = Visitor::enter(&gateway, Kind::RealtimeJs1, "bo");
    bo.show();
    // 200 % of two.
    ann.until_bots(4);
    let mut cy = Visitor::enter(&gateway, Kind::RealtimeJs1, "cy");
    cy.show();
    ann.until_bots(5);
    drop((bo, cy));
    let report = fleet.until("they are gone", |report| report["manager"]["lobby"]["humans"] == 1);
    ann.until_bots(2);
    let read = ["min", "max", "target_percent", "maintenance_every_ms"].map(|name| &report["manager"][name]);
    assert_eq!(json!(read), json!([2, 5, 200, 250]));
}
